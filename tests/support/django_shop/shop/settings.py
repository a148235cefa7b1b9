"""A shop's settings; where its databases are, each test says."""

import json
import os

SECRET_KEY = "for-tests-only"
INSTALLED_APPS = ["django.contrib.contenttypes", "shop", "dbpull.django"]
DATABASES = json.loads(os.environ["SHOP_DATABASES"])
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

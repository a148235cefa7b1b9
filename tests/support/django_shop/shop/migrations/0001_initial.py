from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            "Customer",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=80)),
            ],
        ),
        migrations.CreateModel(
            "Order",
            [
                ("id", models.BigAutoField(primary_key=True)),
                (
                    "customer",
                    models.ForeignKey("Customer", models.CASCADE, "orders"),
                ),
                ("total", models.IntegerField()),
            ],
        ),
    ]

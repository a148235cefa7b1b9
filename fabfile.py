"""What `fab` loads: the tasks that `invoke` has, and the configuration it reads."""

from dbpull.fab import share_invoke_config
from tasks import ns

share_invoke_config()

__all__ = ["ns"]

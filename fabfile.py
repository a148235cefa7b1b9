"""What `fab` loads: the tasks that `invoke` has, and the configuration it reads."""

from tasks import ns

from dbpull.fab import share_invoke_config

share_invoke_config()

__all__ = ["ns"]

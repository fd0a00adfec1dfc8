"""What the hub reads at its start; every value comes from a tested function of `hub_config.configuration`."""

from bifrost_lib.core.settings import load_settings
from bifrost_lib.workflows.hub import Places, read_registry
from hub_config.configuration import hub_options

settings = load_settings()
for name, values in hub_options(settings, Places.read(settings.home), read_registry()).items():
    get_config()[name].update(values)  # type: ignore[name-defined]  # noqa: F821 (given by the hub)

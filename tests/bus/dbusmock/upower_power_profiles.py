"""The template power_profiles_daemon of python-dbusmock under the newer name, which it does not know yet."""

from dbusmock.templates import power_profiles_daemon as older

BUS_NAME = 'org.freedesktop.UPower.PowerProfiles'
MAIN_OBJ = '/org/freedesktop/UPower/PowerProfiles'
MAIN_IFACE = BUS_NAME
SYSTEM_BUS = True


def load(mock, parameters):
    """Loads the older one with this interface."""
    older.MAIN_IFACE = MAIN_IFACE
    older.load(mock, parameters)

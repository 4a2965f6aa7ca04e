// The version of the program: the one place where it stands.
#ifndef GW_SERVICES_CLI_VERSION_H
#define GW_SERVICES_CLI_VERSION_H

#define GW_VERSION "0.1.0"

#endif

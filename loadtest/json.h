// What the writer and the reader of the JSON file share. Inside output only.
#ifndef GW_LOADTEST_JSON_H
#define GW_LOADTEST_JSON_H

// Raised when a reader of the older one would misread the newer one.
#define LOAD_JSON_FORMAT "gridwarden-load/1"

#endif

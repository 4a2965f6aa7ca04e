// The page of loadtest/page/, cut where the JSON goes. Made by loadtest/page/embed.py.
#ifndef GW_LOADTEST_PAGE_H
#define GW_LOADTEST_PAGE_H

#include <stddef.h>

extern const unsigned char load_page_head[];
extern const size_t load_page_head_bytes;
extern const unsigned char load_page_tail[];
extern const size_t load_page_tail_bytes;

#endif

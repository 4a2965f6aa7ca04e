// Text in columns for terminals, where a Chinese character is two columns wide. Inside output only.
#ifndef GW_LOADTEST_COLUMNS_H
#define GW_LOADTEST_COLUMNS_H

#include <stdint.h>
#include <stdio.h>

// Appends `text` to the line, padded to `width` columns (left aligned) and cut where it is longer.
// Bytes that a terminal would act on (controls) and bytes that are no UTF-8 become '?'.
void load_put_left(FILE *out, const char *text, uint32_t width);
void load_put_right(FILE *out, const char *text, uint32_t width);
void load_put_text(FILE *out, const char *text); // the same without columns

// A duration in milliseconds with three to four digits: "0.123", "12.3", "1234".
void load_text_ms(double ms, char text[16]);
// A rate or a number of things: "0.25", "12.5", "19747". `text` has 24 bytes.
void load_text_rate(double rate, char text[24]);
const char *load_loop_text(int loop); // "OPEN" or "CLOSED"

#endif

#include "geo/carto/fault.h"

#define FAULT_WORD_ROW(name, word, sentence) word,
static const char *const words[] = {GW_FAULT_LIST(FAULT_WORD_ROW)};

#define FAULT_SENTENCE_ROW(name, word, sentence) sentence,
static const char *const sentences[] = {GW_FAULT_LIST(FAULT_SENTENCE_ROW)};

const char *gw_fault_word(enum gw_fault_kind kind) {
    return (unsigned)kind < GW_FAULT_COUNT ? words[kind] : "unknown";
}

const char *gw_fault_sentence(enum gw_fault_kind kind) {
    return (unsigned)kind < GW_FAULT_COUNT ? sentences[kind] : "an unknown fault";
}

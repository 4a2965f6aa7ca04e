// Files from outside: what is sound comes to its place whole, and of anything else nothing stays.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/grids/intake.h"
#include "services/grids/testing_borders.h"
#include "services/grids/testing_edition.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW TESTING_BORDERS_NOW
#define HASH_AT 16 // of the checksum in the file

static char data[400], editions[420];
static struct gw_error error;

// A file in memory, and what is claimed of it.
struct sending {
    unsigned char *bytes;
    size_t size;
    char hash[33];
    struct gw_intake_claim claim;
};

static void read_hash(struct sending *sending) {
    for (int i = 0; i < 16; i++) {
        (void)snprintf(sending->hash + 2 * i, 3, "%02x", sending->bytes[HASH_AT + i]);
    }
}

static struct sending make(const struct testing_borders *borders) {
    char path[420];
    struct sending sending = {NULL, 0, "", {"grid", 5, 0, NULL}};
    (void)snprintf(path, sizeof(path), "%s/made", data);
    testing_borders_write(borders, path);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    sending.size = (size_t)ftell(file);
    sending.bytes = malloc(sending.size + 8);
    rewind(file);
    assert_int_equal(fread(sending.bytes, 1, sending.size, file), sending.size);
    (void)fclose(file);
    assert_int_equal(unlink(path), 0);
    sending.claim.size = sending.size;
    read_hash(&sending);
    return sending;
}

static struct sending make_sound(void) {
    struct testing_borders borders = testing_borders(5);
    return make(&borders);
}

// Sends all of it in pieces; GW_OK: the file lies in its place.
static gw_err send(struct sending *sending) {
    struct gw_intake *intake = NULL;
    struct gw_edition *edition = NULL;
    if (sending->claim.content_hash == NULL) {
        sending->claim.content_hash = sending->hash;
    }
    gw_err err = gw_intake_open(data, &sending->claim, 0, &intake, &error);
    for (size_t at = 0; err == GW_OK && at < sending->size; at += 700) {
        size_t size = sending->size - at < 700 ? sending->size - at : 700;
        err = gw_intake_write(intake, sending->bytes + at, size, &error);
    }
    if (err == GW_OK) {
        err = gw_intake_check(intake, NOW, &edition, &error);
    }
    if (err == GW_OK) {
        assert_int_equal(gw_edition_number(edition), 5);
        gw_edition_close(edition);
        err = gw_intake_place(intake, &error);
    }
    gw_intake_close(intake);
    return err;
}

static int file_count(void) {
    int count = 0;
    DIR *folder = opendir(editions);
    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(folder);
    return count;
}

static void expect_refused(struct sending *sending, gw_err code, const char *words) {
    gw_err err = send(sending);
    if (err != code || strstr(error.text, words) == NULL) {
        fail_msg("%s: %s, not %s", gw_err_text(err), error.text, words);
    }
    assert_null(strstr(error.text, data)); // the sender learns nothing of the node's folders
    assert_int_equal(file_count(), 0);
    free(sending->bytes);
}

static int set_up(void **state) {
    (void)state;
    const char *folder = getenv("TEST_TMPDIR");
    (void)snprintf(data, sizeof(data), "%.300s/intake-XXXXXX", folder != NULL ? folder : "/tmp");
    assert_non_null(mkdtemp(data));
    (void)snprintf(editions, sizeof(editions), "%s/editions", data);
    assert_int_equal(mkdir(editions, 0700), 0);
    return 0;
}

static void test_a_sound_file_comes_to_its_place(void **state) {
    (void)state;
    char path[500];
    struct gw_edition *edition = NULL;
    struct sending sending = make_sound();
    assert_int_equal(send(&sending), GW_OK);
    assert_int_equal(file_count(), 1);
    (void)snprintf(path, sizeof(path), "%s/grid-5.gwe", editions);
    assert_int_equal(gw_edition_open(path, &edition, &error), GW_OK);
    assert_true(testing_borders_whole(edition));
    gw_edition_close(edition);
    assert_int_equal(send(&sending), GW_OK); // over one that nobody has recorded
    assert_int_equal(file_count(), 1);
    free(sending.bytes);
}

static void test_what_is_withdrawn_is_gone(void **state) {
    (void)state;
    struct sending sending = make_sound();
    struct gw_intake *intake = NULL;
    struct gw_edition *edition = NULL;
    sending.claim.content_hash = sending.hash;
    assert_int_equal(gw_intake_open(data, &sending.claim, 0, &intake, &error), GW_OK);
    assert_int_equal(gw_intake_write(intake, sending.bytes, sending.size, &error), GW_OK);
    assert_int_equal(gw_intake_check(intake, NOW, &edition, &error), GW_OK);
    gw_edition_close(edition);
    assert_int_equal(gw_intake_place(intake, &error), GW_OK);
    assert_int_equal(file_count(), 1);
    gw_intake_withdraw(intake);
    gw_intake_close(intake);
    gw_intake_close(NULL);
    assert_int_equal(file_count(), 0);
    free(sending.bytes);
}

static void test_claims_are_checked(void **state) {
    (void)state;
    static const struct {
        struct gw_intake_claim claim;
        gw_err err;
        const char *words;
    } rows[] = {
        {{"", 5, 100, "0123456789abcdef0123456789abcdef"}, GW_EINVAL, "layer"},
        {{"../grid", 5, 100, "0123456789abcdef0123456789abcdef"}, GW_EINVAL, "layer"},
        {{"grid", 0, 100, "0123456789abcdef0123456789abcdef"}, GW_EINVAL, "number"},
        {{"grid", 5, 0, "0123456789abcdef0123456789abcdef"}, GW_EINVAL, "size"},
        {{"grid", 5, GW_INTAKE_BYTES_MAX + 1, "0123456789abcdef0123456789abcdef"},
         GW_ENOSPC,
         "limit"},
        {{"grid", 5, UINT64_MAX, "0123456789abcdef0123456789abcdef"}, GW_ENOSPC, "limit"},
        {{"grid", 5, 100, ""}, GW_EINVAL, "content_hash"},
        {{"grid", 5, 100, "0123456789abcdef0123456789abcdeF"}, GW_EINVAL, "content_hash"},
        {{"grid", 5, 100, "0123456789abcdef0123456789abcdef0"}, GW_EINVAL, "content_hash"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gw_intake *intake = NULL;
        assert_int_equal(gw_intake_open(data, &rows[i].claim, 0, &intake, &error), rows[i].err);
        assert_non_null(strstr(error.text, rows[i].words));
        assert_null(intake);
    }
    struct gw_intake *intake = NULL; // more than any disk has, with what others have reserved
    struct gw_intake_claim claim = {"grid", 5, 100, "0123456789abcdef0123456789abcdef"};
    assert_int_equal(gw_intake_open(data, &claim, UINT64_MAX / 2, &intake, &error), GW_ENOSPC);
    assert_non_null(strstr(error.text, "make room"));
    assert_int_equal(file_count(), 0);
}

static void test_other_lengths_are_refused(void **state) {
    (void)state;
    struct sending sending = make_sound();
    sending.size -= 1;
    expect_refused(&sending, GW_EINVAL, "bytes have come of the");
    sending = make_sound();
    sending.size += 1;
    expect_refused(&sending, GW_EINVAL, "more bytes have come");
    sending = make_sound();
    sending.size = 0;
    expect_refused(&sending, GW_EINVAL, "0 bytes have come");
    sending = make_sound(); // a short file, with a claim that fits
    sending.size = sending.claim.size = 10;
    expect_refused(&sending, GW_EINVAL, "the file is too short");
}

static void test_other_bytes_are_refused(void **state) {
    (void)state;
    struct sending sending = make_sound();
    sending.bytes[sending.size / 2] ^= 0x10;
    expect_refused(&sending, GW_EINVAL, "checksum");
    sending = make_sound();
    memset(sending.bytes, 'x', sending.size);
    expect_refused(&sending, GW_EINVAL, "does not begin like an edition");
    sending = make_sound(); // a layout of another version
    sending.bytes[8] ^= 0x40;
    expect_refused(&sending, GW_EINVAL, "format");
}

// Damage under a checksum that fits, as somebody would make it on purpose.
static void test_no_byte_can_be_changed_into_a_crash(void **state) {
    (void)state;
    struct sending sound = make_sound();
    uint32_t refused = 0;
    for (size_t at = 32; at < sound.size; at += 3) {
        struct sending sending = sound;
        sending.bytes = malloc(sound.size + 8);
        memcpy(sending.bytes, sound.bytes, sound.size);
        sending.bytes[at] ^= 0x81;
        testing_reseal(sending.bytes, sending.size);
        sending.claim.content_hash = NULL;
        read_hash(&sending);
        struct gw_edition *edition = NULL;
        if (gw_edition_open_bytes(sending.bytes, sending.size, &edition, NULL) == GW_OK) {
            volatile uint64_t answers = testing_exercise(edition);
            (void)answers;
            gw_edition_close(edition);
        } else {
            refused++;
            expect_refused(&sending, GW_EINVAL, "");
            continue;
        }
        free(sending.bytes);
    }
    assert_true(refused > sound.size / 3 / 4);
    free(sound.bytes);
}

static void test_other_editions_are_refused(void **state) {
    (void)state;
    struct testing_borders borders = testing_borders(6);
    struct sending sending = make(&borders);
    expect_refused(&sending, GW_EINVAL, "the file is edition 6, not 5");
    borders = testing_borders(5);
    borders.layer = "police";
    sending = make(&borders);
    expect_refused(&sending, GW_EINVAL, "the file is of layer police, not grid");
    sending = make_sound();
    sending.claim.content_hash = "0123456789abcdef0123456789abcdef";
    expect_refused(&sending, GW_EINVAL, "content_hash is 0123456789abcdef");
    const int64_t times[] = {0, -5, INT64_MIN, INT64_MAX, NOW + INT64_C(86400001)};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        borders = testing_borders(5);
        borders.created_ms = times[i];
        sending = make(&borders);
        expect_refused(&sending, GW_EINVAL, "set the clock");
    }
}

static void test_a_start_removes_what_was_left(void **state) {
    (void)state;
    static const char *const names[] = {"upload-7.part", "grid-3.gwe.tmp", "grid-3.gwe",
                                        "upload-7.partly", "notes.txt"};
    char path[500];
    for (size_t i = 0; i < 5; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", editions, names[i]);
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        (void)fclose(file);
    }
    assert_int_equal(gw_intake_clean(data, &error), GW_OK);
    for (size_t i = 0; i < 5; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", editions, names[i]);
        assert_int_equal(access(path, F_OK), i < 2 ? -1 : 0);
    }
    assert_int_equal(gw_intake_clean("/nowhere/at/all", &error), GW_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_sound_file_comes_to_its_place, set_up),
        cmocka_unit_test_setup(test_what_is_withdrawn_is_gone, set_up),
        cmocka_unit_test_setup(test_claims_are_checked, set_up),
        cmocka_unit_test_setup(test_other_lengths_are_refused, set_up),
        cmocka_unit_test_setup(test_other_bytes_are_refused, set_up),
        cmocka_unit_test_setup(test_no_byte_can_be_changed_into_a_crash, set_up),
        cmocka_unit_test_setup(test_other_editions_are_refused, set_up),
        cmocka_unit_test_setup(test_a_start_removes_what_was_left, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

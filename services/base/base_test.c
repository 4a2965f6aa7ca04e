// Errors, buffers, the data folder's lock.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/base/buffer.h"
#include "services/base/datadir.h"
#include "services/base/error.h"
#include "services/base/loopback.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void error_keeps_code_and_words(void **state) {
    (void)state;
    struct gw_error error = {0};
    assert_int_equal(gw_error_set(&error, GW_EINVAL, "field %s is %d", "k", 7), GW_EINVAL);
    assert_int_equal(error.code, GW_EINVAL);
    assert_string_equal(error.text, "field k is 7");
    // An error may quote itself.
    (void)gw_error_set(&error, GW_EIO, "file x: %s", error.text);
    assert_string_equal(error.text, "file x: field k is 7");
    assert_int_equal(gw_error_set(NULL, GW_ENOMEM, "unheard"), GW_ENOMEM);
}

static void error_is_cut_between_characters(void **state) {
    (void)state;
    char text[1000];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'a', shift);
        text[shift] = '\0';
        for (size_t i = 0; i < 200; i++) {
            strncat(text, "网", sizeof(text) - strlen(text) - 1);
        }
        struct gw_error error;
        (void)gw_error_set(&error, GW_EINVAL, "%s", text);
        size_t size = strlen(error.text);
        assert_true(size < GW_ERROR_TEXT_MAX && size > GW_ERROR_TEXT_MAX - 5);
        assert_int_equal((size - shift) % 3, 0);
    }
}

static void buffer_grows_and_clears(void **state) {
    (void)state;
    struct gw_buffer buffer = {0};
    for (int i = 0; i < 1000; i++) {
        gw_buffer_format(&buffer, "%d,", i);
    }
    assert_false(buffer.failed);
    assert_int_equal(strlen(buffer.data), buffer.size);
    assert_memory_equal(buffer.data, "0,1,2,3,", 8);
    gw_buffer_clear(&buffer);
    assert_string_equal(buffer.data, "");
    gw_buffer_append(&buffer, "x\0y", 3);
    assert_int_equal(buffer.size, 3);
    gw_buffer_free(&buffer);
    assert_null(buffer.data);
}

// Whether a process of its own can open the folder for `use`.
static gw_err open_elsewhere(const char *path, enum gw_datadir_use use) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct gw_datadir dir;
        struct gw_error error = {0};
        gw_err err = gw_datadir_open(&dir, path, use, "the child", &error);
        bool names_holder = err != GW_EUNAVAILABLE || strstr(error.text, "the parent") != NULL ||
                            strstr(error.text, "another process") != NULL;
        _exit(names_holder ? (int)err : 99);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return (gw_err)WEXITSTATUS(status);
}

static void datadir_has_one_user_or_many_readers(void **state) {
    (void)state;
    char path[512];
    const char *folder = getenv("TEST_TMPDIR");
    (void)snprintf(path, sizeof(path), "%s/data-%ld", folder != NULL ? folder : "/tmp",
                   (long)getpid());
    struct gw_datadir dir;
    struct gw_error error = {0};
    assert_int_equal(gw_datadir_open(&dir, path, GW_DATADIR_WRITE, "the parent", &error),
                     GW_ENOTFOUND);
    assert_non_null(strstr(error.text, "gridwarden import"));
    assert_int_equal(gw_datadir_open(&dir, path, GW_DATADIR_CREATE, "the parent", &error), GW_OK);
    assert_int_equal(open_elsewhere(path, GW_DATADIR_WRITE), GW_EUNAVAILABLE);
    assert_int_equal(open_elsewhere(path, GW_DATADIR_READ), GW_EUNAVAILABLE);
    gw_datadir_close(&dir);
    assert_int_equal(gw_datadir_open(&dir, path, GW_DATADIR_READ, "the parent", &error), GW_OK);
    assert_int_equal(open_elsewhere(path, GW_DATADIR_READ), GW_OK);
    assert_int_equal(open_elsewhere(path, GW_DATADIR_WRITE), GW_EUNAVAILABLE);
    char file[600];
    assert_int_equal(gw_datadir_file(&dir, "db", file, sizeof(file), &error), GW_OK);
    assert_int_equal(gw_datadir_file(&dir, "db", file, 8, &error), GW_EINVAL);
    gw_datadir_close(&dir);
}

static void loopback_takes_loopback_alone(void **state) {
    (void)state;
    static const struct {
        const char *text;
        gw_err expected;
        uint16_t port;
    } rows[] = {
        {"127.0.0.1:7600", GW_OK, 7600},
        {"127.255.255.254:0", GW_OK, 0},
        {"localhost:65535", GW_OK, 65535},
        {"[::1]:7600", GW_OK, 7600},
        {"[0:0:0:0:0:0:0:1]:1", GW_OK, 1},
        {"128.0.0.1:7600", GW_EPERM, 0},
        {"126.255.255.255:7600", GW_EPERM, 0},
        {"0.0.0.0:7600", GW_EPERM, 0},
        {"10.0.0.5:7600", GW_EPERM, 0},
        {"[::]:7600", GW_EPERM, 0},
        {"[::2]:7600", GW_EPERM, 0},
        {"[::ffff:127.0.0.1]:7600", GW_EPERM, 0},
        {"[127.0.0.1]:7600", GW_EPERM, 0},
        {"::1:7600", GW_EPERM, 0},
        {"[]:7600", GW_EPERM, 0},
        {"[:7600", GW_EPERM, 0},
        {"[::1:7600", GW_EPERM, 0},
        {":7600", GW_EPERM, 0},
        {"127.1:7600", GW_EPERM, 0},
        {"localhost.:7600", GW_EPERM, 0},
        {"127.0.0.1.example.com:7600", GW_EPERM, 0},
        {"", GW_EINVAL, 0},
        {"127.0.0.1", GW_EINVAL, 0},
        {"127.0.0.1:", GW_EINVAL, 0},
        {"127.0.0.1:65536", GW_EINVAL, 0},
        {"127.0.0.1:-1", GW_EINVAL, 0},
        {"127.0.0.1:+1", GW_EINVAL, 0},
        {"127.0.0.1: 1", GW_EINVAL, 0},
        {"127.0.0.1:80x", GW_EINVAL, 0},
        {"127.0.0.1:000080", GW_EINVAL, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gw_loopback address = {.port = 77};
        gw_err err = gw_loopback_parse(rows[i].text, &address);
        if (err != rows[i].expected || address.port != (err == GW_OK ? rows[i].port : 77)) {
            fail_msg("%s: %s, port %u", rows[i].text, gw_err_text(err), (unsigned)address.port);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_keeps_code_and_words),
        cmocka_unit_test(error_is_cut_between_characters),
        cmocka_unit_test(buffer_grows_and_clears),
        cmocka_unit_test(datadir_has_one_user_or_many_readers),
        cmocka_unit_test(loopback_takes_loopback_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Configurations: finding, setting and converting values. Only the text of a value is kept. So a value is written back
 * as it was read, and its reader decides the type of a number. */
#define _POSIX_C_SOURCE 200809L
#include "base/memory.h"
#include "base/utf8.h"
#include "complain.h"
#include "config.h"

#include <stdlib.h>
#include <string.h>

static bool fail_memory(tl_config *config) {
    return tl_fail_memory(&config->error, "keeping", config->name ? config->name : "a configuration");
}

tl_config *tl_config_named(const char *name, tl_error *error) {
    tl_config *config = calloc(1, sizeof *config);
    char *copy = name ? strdup(name) : NULL;
    if (!config || (name && !copy)) {
        if (error) tl_fail_memory(error, "reading", name);
        free(config);
        free(copy);
        return NULL;
    }
    config->name = copy;
    return config;
}

tl_config *tl_config_new(void) { return tl_config_named(NULL, NULL); }

void tl_config_free(tl_config *config) {
    if (!config) return;
    for (long i = 0; i < config->count; i++) {
        free(config->lines[i].key);
        free(config->lines[i].value);
    }
    free(config->lines);
    tl_names_free(&config->keys);
    free(config->name);
    free(config);
}

const char *tl_config_error(const tl_config *config) {
    if (!config) return "configuration: out of memory for it, or it could not be read";
    return config->error.message[0] != 0 ? config->error.message : NULL;
}

bool tl_config_key_ok(const char *key, size_t size) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";
    for (size_t i = 0; i < size; i++)
        if (!memchr(allowed, key[i], sizeof allowed - 1)) return false;
    return size > 0 && size <= TL_CONFIG_KEY_MAX;
}

tl_config_line *tl_config_find(const tl_config *config, const char *key) {
    const long at = !config || !key ? -1 : tl_names_find(&config->keys, key);
    return at < 0 ? NULL : &config->lines[at];
}

bool tl_config_append(tl_config *config, const char *key, const char *value, size_t value_size, long number) {
    if (!TL_RESERVE(config->lines, config->room, (size_t)config->count + 1)) return fail_memory(config);
    char *key_copy = key ? strdup(key) : NULL, *value_copy = strndup(value, value_size);
    if ((key && !key_copy) || !value_copy || (key && !tl_names_add(&config->keys, key_copy, config->count))) {
        free(key_copy);
        free(value_copy);
        return fail_memory(config);
    }
    config->lines[config->count++] = (tl_config_line){key_copy, value_copy, number, number == 0};
    return true;
}

/* ---- reading values ---- */

bool tl_config_has(const tl_config *config, const char *key) { return tl_config_find(config, key) != NULL; }

static tl_config_line *ask(tl_config *config, const char *key) {
    tl_config_line *line = tl_config_find(config, key);
    if (line) line->known = true;
    return line;
}

static void fail_kind(tl_config *config, const tl_config_line *line, const char *expected) {
    char file[TL_SHOWN], shown[TL_SHOWN], place[32] = "";
    if (line->number > 0) snprintf(place, sizeof place, " line %ld", line->number);
    tl_error_set(&config->error, "%s%s: %s = \"%s\": expected %s; correct the line",
                 config->name ? tl_shown_path(config->name, file) : "configuration", place, line->key,
                 tl_shown(line->value, strlen(line->value), 60, shown), expected);
}

const char *tl_config_string(tl_config *config, const char *key, const char *otherwise) {
    tl_config_line *line = ask(config, key);
    return line ? line->value : otherwise;
}

long tl_config_long(tl_config *config, const char *key, long otherwise) {
    tl_config_line *line = ask(config, key);
    if (!line || tl_long_parse(line->value, &otherwise)) return otherwise;
    fail_kind(config, line, "a whole number");
    return otherwise;
}

double tl_config_double(tl_config *config, const char *key, double otherwise) {
    tl_config_line *line = ask(config, key);
    if (!line || tl_double_parse(line->value, &otherwise)) return otherwise;
    fail_kind(config, line, "a number");
    return otherwise;
}

bool tl_config_bool(tl_config *config, const char *key, bool otherwise) {
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    tl_config_line *line = ask(config, key);
    if (!line) return otherwise;
    for (int i = 0; i < 8; i++)
        if (strcmp(line->value, words[i]) == 0) return i % 2 == 1;
    fail_kind(config, line, "true or false");
    return otherwise;
}

const char *tl_config_unknown(const tl_config *config, long i, long *line) {
    for (long at = 0; config && i >= 0 && at < config->count; at++) {
        const tl_config_line *here = &config->lines[at];
        if (!here->key || here->known || i-- > 0) continue;
        if (line) *line = here->number;
        return here->key;
    }
    return NULL;
}

/* ---- setting values ---- */

void tl_config_set_string(tl_config *config, const char *key, const char *value) {
    if (!config || config->error.message[0] != 0) return;
    char shown[TL_SHOWN];
    if (!key || !tl_config_key_ok(key, strlen(key))) {
        tl_error_set(
            &config->error,
            "configuration: key \"%s\": expected at most 127 letters, digits, '_', '-' and '.'; choose "
            "another key",
            key ? tl_shown(key, strlen(key), 60, shown) : "(NULL)");
        return;
    }
    if (!value || tl_utf8_valid(value, strlen(value)) != strlen(value)) {
        tl_error_set(&config->error, "configuration: %s: expected a value in valid UTF-8; choose another",
                     key);
        return;
    }
    tl_config_line *line = tl_config_find(config, key);
    if (!line) {
        tl_config_append(config, key, value, strlen(value), 0);
        return;
    }
    char *copy = strdup(value);
    if (!copy) {
        fail_memory(config);
        return;
    }
    free(line->value);
    line->value = copy;
    line->known = true;
}

void tl_config_set_long(tl_config *config, const char *key, long value) {
    char text[TL_NUMBER_TEXT];
    snprintf(text, sizeof text, "%ld", value);
    tl_config_set_string(config, key, text);
}

void tl_config_set_double(tl_config *config, const char *key, double value) {
    char text[TL_NUMBER_TEXT];
    tl_config_set_string(config, key, tl_double_text(value, text));
}

void tl_config_set_bool(tl_config *config, const char *key, bool value) {
    tl_config_set_string(config, key, value ? "true" : "false");
}

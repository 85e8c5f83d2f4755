/* The text of a configuration: reading and writing `key = value` lines. Every value reads back as it was set: a value
 * that the plain form cannot hold is put in quotes. */
#include "base/buffer.h"
#include "base/utf8.h"
#include "complain.h"
#include "config.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

typedef struct reader {
    tl_config *config;
    const char *name;
    long line; /* counted from 1 */
    tl_error *error;
} reader;

static bool fail(const reader *r, const char *what, const char *text, size_t size, const char *advice) {
    char file[TL_SHOWN], shown[TL_SHOWN];
    return tl_error_set(r->error, "%s line %ld: %s \"%s\"; %s", tl_shown_path(r->name, file), r->line, what,
                        tl_shown(text, size, 60, shown), advice);
}

static bool is_space(char c) { return c == ' ' || c == '\t'; }

static const char *skip_space(const char *from, const char *end) {
    while (from < end && is_space(*from)) from++;
    return from;
}

/* Where a plain value ends: before a comment, and before the spaces before it. */
static const char *plain_end(const char *from, const char *end) {
    const char *at = from;
    while (at < end && !(*at == '#' && (at == from || is_space(at[-1])))) at++;
    while (at > from && is_space(at[-1])) at--;
    return at;
}

/* Reads a value in quotes; `from` is after the first quote, *after becomes the position after the last one. */
static bool read_quoted(const reader *r, const char *from, const char *end, tl_buffer *value,
                        const char **after) {
    static const char names[] = "\"\\nrt", values[] = "\"\\\n\r\t";
    for (const char *at = from; at < end; at++) {
        if (*at == '"') {
            *after = at + 1;
            return true;
        }
        if (*at != '\\') {
            tl_buffer_add(value, at, 1);
            continue;
        }
        const char *name = ++at < end ? memchr(names, *at, sizeof names - 1) : NULL;
        if (!name)
            return fail(r, "unknown escape in", from, (size_t)(end - from), "use \\\\ for a backslash");
        tl_buffer_add(value, values + (name - names), 1);
    }
    return fail(r, "no closing quote after", from, (size_t)(end - from), "end the value with '\"'");
}

static bool read_value(const reader *r, const char *key, const char *at, const char *end) {
    tl_buffer value = {0};
    const char *stop = plain_end(at, end);
    bool ok = true;
    if (at < end && *at == '"') {
        ok = read_quoted(r, at + 1, end, &value, &stop);
        const char *rest = ok ? skip_space(stop, end) : end;
        if (ok && rest < end && *rest != '#')
            ok = fail(r, "more text after the quoted value:", rest, (size_t)(end - rest),
                      "put all of it in the quotes");
    } else {
        tl_buffer_add(&value, at, (size_t)(stop - at));
    }
    tl_buffer_add(&value, "", 0); /* makes an empty value a text, not NULL */
    if (ok && value.failed) ok = tl_fail_memory(r->error, "reading", r->name);
    if (ok && !tl_config_append(r->config, key, value.text, value.size, r->line))
        ok = tl_fail_memory(r->error, "reading", r->name);
    tl_buffer_free(&value);
    return ok;
}

static bool read_line(const reader *r, const char *from, const char *end) {
    size_t size = (size_t)(end - from), valid = tl_utf8_valid(from, size);
    if (valid < size) return fail(r, "invalid UTF-8 in", from, size, "save the file as UTF-8");
    if (memchr(from, 0, size)) return fail(r, "a 0 byte in", from, size, "give a text file");
    const char *at = skip_space(from, end);
    if (at == end || *at == '#') {
        if (tl_config_append(r->config, NULL, from, size, r->line)) return true;
        return tl_fail_memory(r->error, "reading", r->name);
    }
    const char *equals = memchr(at, '=', (size_t)(end - at)), *key_end = equals;
    if (!equals) return fail(r, "expected key = value, found", at, (size_t)(end - at), "add the '='");
    while (key_end > at && is_space(key_end[-1])) key_end--;
    size_t key_size = (size_t)(key_end - at);
    if (!tl_config_key_ok(at, key_size))
        return fail(r, "expected a key of at most 127 letters, digits, '_', '-' and '.', found", at, key_size,
                    "correct the line");
    char key[TL_CONFIG_KEY_MAX + 1];
    memcpy(key, at, key_size);
    key[key_size] = 0;
    const tl_config_line *first = tl_config_find(r->config, key);
    if (first) {
        char advice[64];
        snprintf(advice, sizeof advice, "it is in line %ld already: remove one", first->number);
        return fail(r, "repeated key", key, key_size, advice);
    }
    return read_value(r, key, skip_space(equals + 1, end), end);
}

tl_config *tl_config_parse(const char *text, size_t size, const char *name, tl_error *error) {
    if (!name) name = "configuration";
    if (!text && size > 0) {
        char file[TL_SHOWN];
        tl_error_set(error, "%s: there is no text (NULL), but %zu bytes of it are asked for",
                     tl_shown_path(name, file), size);
        return NULL;
    }
    if (!text) text = "";
    tl_config *config = tl_config_named(name, error);
    if (!config) return NULL;
    if (size > TL_CONFIG_MOST) {
        char file[TL_SHOWN];
        tl_error_set(error, "%s: %zu bytes, expected at most %zu; this is no configuration: check the path",
                     tl_shown_path(name, file), size, TL_CONFIG_MOST);
        tl_config_free(config);
        return NULL;
    }
    reader r = {.config = config, .name = name, .error = error};
    const char *at = text + tl_utf8_mark(text, size), *end = text + size;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
        const char *next = newline ? newline + 1 : end;
        while (stop > at && stop[-1] == '\r') stop--;
        r.line++;
        if (!read_line(&r, at, stop)) {
            tl_config_free(config);
            return NULL;
        }
        at = next;
    }
    return config;
}

tl_config *tl_config_read(const char *path, tl_error *error) {
    char *text;
    size_t size;
    if (!tl_file_read_regular(path, TL_CONFIG_MOST, &text, &size, error)) return NULL;
    tl_config *config = tl_config_parse(text, size, path, error);
    free(text);
    return config;
}

/* ---- writing ---- */

/* Can the plain form hold this value? It cannot hold line ends, a quote in front, outer spaces, or a comment. */
static bool is_plain(const char *value) {
    const char *end = value + strlen(value);
    return *value != 0 && *value != '"' && !is_space(*value) && !strpbrk(value, "\n\r") &&
           plain_end(value, end) == end;
}

static void add_quoted(tl_buffer *b, const char *value) {
    static const char names[] = "\"\\nrt", values[] = "\"\\\n\r\t";
    tl_buffer_text(b, "\"");
    for (; *value != 0; value++) {
        const char *special = strchr(values, *value);
        if (special)
            tl_buffer_format(b, "\\%c", names[special - values]);
        else
            tl_buffer_add(b, value, 1);
    }
    tl_buffer_text(b, "\"");
}

char *tl_config_text(tl_config *config) {
    if (!config || config->error.message[0] != 0) return NULL;
    tl_buffer b = {0};
    tl_buffer_add(&b, "", 0);
    for (long i = 0; i < config->count; i++) {
        const tl_config_line *line = &config->lines[i];
        if (line->key) tl_buffer_format(&b, "%s = ", line->key);
        if (!line->key || is_plain(line->value))
            tl_buffer_text(&b, line->value);
        else
            add_quoted(&b, line->value);
        tl_buffer_text(&b, "\n");
    }
    if (!b.failed) return b.text;
    tl_fail_memory(&config->error, "writing", config->name ? config->name : "a configuration");
    tl_buffer_free(&b);
    return NULL;
}

bool tl_config_write(tl_config *config, const char *path, tl_error *error) {
    if (!config) return tl_error_set(error, "cannot write a configuration: there was no memory to make it");
    char *text = tl_config_text(config);
    if (!text) return tl_error_set(error, "%s", config->error.message);
    bool ok = tl_file_write(path, text, strlen(text), error);
    free(text);
    return ok;
}

void tl_config_comment(tl_config *config, const char *text) {
    if (!config || config->error.message[0] != 0) return;
    if (!text) text = "";
    if (tl_utf8_valid(text, strlen(text)) != strlen(text)) {
        tl_error_set(&config->error, "configuration: a comment is not valid UTF-8; choose another");
        return;
    }
    tl_buffer b = {0};
    const char *prefix = *text == 0 ? "" : "# ";
    do { /* each line of the text becomes a comment line */
        size_t size = strcspn(text, "\r\n");
        b.size = 0;
        tl_buffer_text(&b, prefix);
        tl_buffer_add(&b, text, size);
        if (b.failed)
            tl_fail_memory(&config->error, "keeping", config->name ? config->name : "a configuration");
        else
            tl_config_append(config, NULL, b.text, b.size, 0);
        text += size;
        text += strspn(text, "\r\n");
    } while (*text != 0);
    tl_buffer_free(&b);
}

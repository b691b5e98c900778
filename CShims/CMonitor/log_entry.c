// An entry's bytes, as docker's json-file driver spells them.
#include "log.h"

#include <string.h>

/// Bytes that stand for themselves: ASCII but controls, quotation mark, backslash, and HTML's three.
static const uint8_t plain[256] = {
    [0x20] = 1, [0x21] = 1,         [0x23 ... 0x25] = 1, [0x27 ... 0x3b] = 1,
    [0x3d] = 1, [0x3f ... 0x5b] = 1, [0x5d ... 0x7f] = 1,
};

/// The length of the character that begins here: 0 when it is none, -1 when it may be one whose end is missing.
/// Unicode's table 3-7: no surrogates, no overlong forms, nothing above U+10FFFF.
static int character(const uint8_t *s, size_t size) {
    uint8_t lowest = 0x80, highest = 0xbf;
    int length;
    if (s[0] < 0x80) return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
    length = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (s[0] == 0xe0) lowest = 0xa0;
    if (s[0] == 0xed) highest = 0x9f;
    if (s[0] == 0xf0) lowest = 0x90;
    if (s[0] == 0xf4) highest = 0x8f;
    for (int i = 1; i < length; i++) {
        if ((size_t)i == size) return -1;
        if (s[i] < lowest || s[i] > highest) return 0;
        lowest = 0x80;
        highest = 0xbf;
    }
    return length;
}

size_t cmon_whole_characters(const uint8_t *text, size_t size) {
    for (size_t back = 1; back <= 3 && back < size; back++) {
        uint8_t byte = text[size - back];
        if ((byte & 0xc0) == 0x80) continue;
        return character(text + size - back, back) < 0 ? size - back : size;
    }
    return size;
}

static char *put(char *to, const char *text, size_t size) {
    memcpy(to, text, size);
    return to + size;
}

#define PUT(to, literal) put(to, literal, sizeof(literal) - 1)

static char *put_escape(char *to, uint8_t byte) {
    static const char hex[] = "0123456789abcdef";
    if (byte == '\\' || byte == '"') {
        *to++ = '\\';
        *to++ = (char)byte;
        return to;
    }
    if (byte == '\n') return PUT(to, "\\n");
    if (byte == '\r') return PUT(to, "\\r");
    to = PUT(to, "\\u00");
    *to++ = hex[byte >> 4];
    *to++ = hex[byte & 15];
    return to;
}

/// One character that is not plain; `taken` is set to its bytes.
static char *put_character(char *to, const uint8_t *s, size_t size, size_t *taken) {
    int length;
    *taken = 1;
    if (s[0] < 0x80) return put_escape(to, s[0]);
    length = character(s, size);
    if (length <= 0) return PUT(to, "\\ufffd");
    *taken = (size_t)length;
    // U+2028 and U+2029 end a line in JavaScript.
    if (length == 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] & 0xfe) == 0xa8) {
        to = PUT(to, "\\u202");
        *to++ = s[2] == 0xa8 ? '8' : '9';
        return to;
    }
    return put(to, (const char *)s, (size_t)length);
}

static char *put_text(char *to, const uint8_t *text, size_t size) {
    size_t at = 0, taken;
    while (at < size) {
        size_t start = at;
        while (at < size && plain[text[at]]) at++;
        to = put(to, (const char *)text + start, at - start);
        if (at == size) break;
        to = put_character(to, text + at, size - at, &taken);
        at += taken;
    }
    return to;
}

static void put_digits(char *to, int digits, uint32_t value) {
    while (digits-- > 0) {
        to[digits] = (char)('0' + value % 10);
        value /= 10;
    }
}

/// RFC 3339 in UTC up to the seconds. gmtime_r(3) would load time zones; the calendar is Gregorian, with eras of 400
/// years that begin in March, so that the leap day is a year's last.
static void spell_second(struct cmon_stamp *stamp, int64_t second) {
    int64_t days = second / 86400;
    uint32_t clock = (uint32_t)(second % 86400);
    int64_t shifted = days + 719468;  // days from 0000-03-01 to 1970-01-01
    uint32_t day_of_era = (uint32_t)(shifted % 146097);
    uint32_t year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day = day_of_era - (365 * year + year / 4 - year / 100);
    uint32_t month = (5 * day + 2) / 153;  // March is 0
    memcpy(stamp->text, "0000-00-00T00:00:00", 20);
    put_digits(stamp->text, 4, (uint32_t)(shifted / 146097 * 400) + year + (month > 9));
    put_digits(stamp->text + 5, 2, month < 10 ? month + 3 : month - 9);
    put_digits(stamp->text + 8, 2, day - (153 * month + 2) / 5 + 1);
    put_digits(stamp->text + 11, 2, clock / 3600);
    put_digits(stamp->text + 14, 2, clock / 60 % 60);
    put_digits(stamp->text + 17, 2, clock % 60);
    stamp->second = second;
}

/// With as many digits behind the second as are needed, as Go's RFC3339Nano has it.
static char *put_time(char *to, struct cmon_stamp *stamp, struct timespec time) {
    int digits = 9;
    uint32_t fraction = (uint32_t)time.tv_nsec;
    if (time.tv_sec < 0) time.tv_sec = 0;
    if (stamp->second != time.tv_sec) spell_second(stamp, time.tv_sec);
    to = put(to, stamp->text, 19);
    while (digits > 0 && fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    if (digits > 0) {
        *to++ = '.';
        put_digits(to, digits, fraction);
        to += digits;
    }
    *to++ = 'Z';
    return to;
}

size_t cmon_entry_bound(const struct cmon_log *log, size_t text) {
    return 6 * (text + 1) + log->attrs_size + CMON_LOG_FRAME;
}

size_t cmon_entry_spell(struct cmon_log *log, const struct cmon_entry *entry, char *to) {
    char *start = to;
    to = PUT(to, "{\"log\":\"");
    to = put_text(to, entry->text, entry->size);
    if (entry->ended) to = PUT(to, "\\n");
    to = entry->stream == 1 ? PUT(to, "\",\"stream\":\"stdout\"") : PUT(to, "\",\"stream\":\"stderr\"");
    if (log->attrs_size > 0) {
        to = PUT(to, ",\"attrs\":");
        to = put(to, log->attrs, log->attrs_size);
    }
    to = PUT(to, ",\"time\":\"");
    to = put_time(to, &log->stamp, entry->time);
    to = PUT(to, "\"}\n");
    return (size_t)(to - start);
}

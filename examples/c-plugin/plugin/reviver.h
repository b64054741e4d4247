/* The canonical ABI of Reviver's key plugins, by hand, for a C compiler and nothing else.
 *
 * The contract is sdk/wit/v0.1.0/reviver.wit. How its types lie in memory is the component model's canonical ABI, of
 * which a plugin needs this:
 *
 *   string, list<T>   two words: where it begins, how many bytes or elements it has
 *   record            its fields in order, each at a multiple of its own alignment
 *   enum, bool        one byte
 *   variant, option,  one byte that says which, then, at a multiple of the greatest alignment among them, what it holds
 *   result
 *
 * A function takes up to 16 core values: a record of six lists is handed over as twelve words. What is larger than one
 * value is returned through memory. An exported function returns the address of its result; an imported one is told where
 * its result shall go.
 *
 * Memory that the host needs in the plugin, for arguments and for results of imports, it asks `cabi_realloc` for. When it
 * has read a result it calls `cabi_post_...` with its address, so that the plugin can free what it made.
 *
 * Reviver makes a fresh instance for each question and drops it afterwards. So memory is only handed out here, never taken
 * back: `cabi_post_...` has nothing to do, and is there to show where freeing would go. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_ROLE "reviver:plugin/key-role@0.1.0"
#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(interface, name) __attribute__((import_module("reviver:plugin/" interface "@0.1.0"), import_name(name)))

/* ---- types of the contract, as they lie in memory ---- */

typedef struct { const char *at; uint32_t length; } string;
typedef struct { const string *at; uint32_t length; } strings;

typedef struct {
    strings argv;
    string root, directory;
    strings reads, writes, variables;
} operation;

enum source_kind {
    SOURCE_TEXT, SOURCE_BYTES, SOURCE_FILE, SOURCE_TREE, SOURCE_LISTING, SOURCE_VARIABLE, SOURCE_PROGRAM,
    SOURCE_UMASK, SOURCE_TERMINAL /* these two have no text */
};

typedef struct {
    string label;
    uint8_t source; /* enum source_kind; the text, where there is one, lies behind it */
    string value;
} ingredient;

enum write_kind { WRITE_FILE, WRITE_DIRECTORY, WRITE_EITHER };

typedef struct {
    string label, path;
    uint8_t kind; /* enum write_kind */
    bool optional;
} write;

enum input { INPUT_UNUSED, INPUT_READ };

typedef struct { bool some; strings value; } optional_strings;
typedef struct { bool some; string value; } optional_string;

typedef struct {
    string label;
    struct { const ingredient *at; uint32_t length; } ingredients;
    struct { const write *at; uint32_t length; } writes;
    uint8_t input; /* enum input */
    optional_strings arguments;
    optional_string report;
} derivation;

enum refusal_kind { NOT_CACHEABLE, MALFORMED };

typedef struct {
    uint8_t kind; /* enum refusal_kind */
    string why;
} refusal;

/* result<derivation, refusal> */
typedef struct {
    bool error;
    union { derivation ok; refusal refused; };
} derived;

typedef struct {
    struct { const ingredient *at; uint32_t length; } ingredients;
    struct { const void *at; uint32_t length; } produced;
    optional_string uncacheable;
} discovery;

/* result<discovery, refusal> */
typedef struct {
    bool error;
    union { discovery ok; refusal refused; };
} discovered;

/* A slip in a layout would be read as another answer: the compiler checks what the contract's types come to. */
_Static_assert(sizeof(operation) == 48 && sizeof(ingredient) == 20 && sizeof(write) == 20, "the layout of parts");
_Static_assert(sizeof(derivation) == 52 && offsetof(derivation, report) == 40, "the layout of a derivation");
_Static_assert(sizeof(derived) == 56 && offsetof(derived, ok) == 4, "the layout of an answer");
_Static_assert(sizeof(discovered) == 32 && offsetof(discovery, uncacheable) == 16, "the layout of a discovery");

/* ---- what the host offers; a plugin that does not call one does not import it ---- */

/* An environment variable of the operation. The answer becomes a condition of the plugin's own. */
IMPORT("inputs", "variable") void variable(const char *name, uint32_t length, optional_string *value);

/* ---- memory ---- */

/* Where the linker put the end of what is there from the beginning. */
extern char __heap_base;

/* Fresh memory, or the same content with more room. A trap where there is no more: the host makes a fault of it. */
EXPORT("cabi_realloc") void *cabi_realloc(void *old, uint32_t had, uint32_t alignment, uint32_t size) {
    static uintptr_t next = 0;
    if (next == 0) next = (uintptr_t)&__heap_base;
    uintptr_t at = (next + alignment - 1) & ~(uintptr_t)(alignment - 1);
    if (at < next || at + size < at) __builtin_trap();
    uintptr_t pages = (uintptr_t)__builtin_wasm_memory_size(0), needed = (at + size + 0xffff) >> 16;
    if (needed > pages && __builtin_wasm_memory_grow(0, needed - pages) == (size_t)-1) __builtin_trap();
    next = at + size;
    for (uint32_t i = 0; i < had && i < size; i++) ((char *)at)[i] = ((const char *)old)[i];
    return (void *)at;
}

/* Room for this many of a type. */
#define NEW(type, number) ((type *)cabi_realloc(NULL, 0, _Alignof(type), (uint32_t)(number) * sizeof(type)))

/* ---- strings ---- */

#define TEXT(literal) ((string){(literal), sizeof(literal) - 1})

static bool equal(string one, string other) {
    if (one.length != other.length) return false;
    for (uint32_t i = 0; i < one.length; i++)
        if (one.at[i] != other.at[i]) return false;
    return true;
}

static bool contains(string text, char wanted) {
    for (uint32_t i = 0; i < text.length; i++)
        if (text.at[i] == wanted) return true;
    return false;
}

static string from(string text, uint32_t start) {
    return (string){text.at + start, text.length - start};
}

static string join(string one, string other) {
    char *at = NEW(char, one.length + other.length);
    for (uint32_t i = 0; i < one.length; i++) at[i] = one.at[i];
    for (uint32_t i = 0; i < other.length; i++) at[one.length + i] = other.at[i];
    return (string){at, one.length + other.length};
}

/* ---- the role: what a plugin defines, and how it is called ---- */

static derived derive(const operation *asked);
static discovered discover(const operation *asked, string report);

/* C hands a struct over by its address, and the contract by its words. */
#define OPERATION                                                                                                    \
    const string *argv, uint32_t argv_length, const char *root, uint32_t root_length, const char *directory,         \
        uint32_t directory_length, const string *reads, uint32_t reads_length, const string *writes,                 \
        uint32_t writes_length, const string *variables, uint32_t variables_length
#define PACKED                                                                                                       \
    &(operation) {                                                                                                   \
        {argv, argv_length}, {root, root_length}, {directory, directory_length}, {reads, reads_length},              \
            {writes, writes_length}, { variables, variables_length }                                                 \
    }

EXPORT(KEY_ROLE "#derive") derived *exported_derive(OPERATION) {
    derived *answer = NEW(derived, 1);
    *answer = derive(PACKED);
    return answer;
}

EXPORT(KEY_ROLE "#discover") discovered *exported_discover(OPERATION, const char *report, uint32_t report_length) {
    discovered *answer = NEW(discovered, 1);
    *answer = discover(PACKED, (string){report, report_length});
    return answer;
}

EXPORT("cabi_post_" KEY_ROLE "#derive") void derive_was_read(derived *answer) { (void)answer; }
EXPORT("cabi_post_" KEY_ROLE "#discover") void discover_was_read(discovered *answer) { (void)answer; }

/* A key plugin for sort(1): which file it writes, which ones it reads, and which of its words matter.
 *
 *   sort -n -k2 -t: -o sorted.txt one.txt two.txt
 *
 * | ingredient        | value                                                                   |
 * |-------------------|-------------------------------------------------------------------------|
 * | sort              | the program, with the libraries it needs                                |
 * | option            | each option that decides what comes out, in order, with its argument    |
 * | file              | the content of each file, in order                                      |
 * | umask             | with -o, since the new file's permissions follow it                     |
 *
 * How much memory sort takes, how it shares the work out and where it puts its temporary files (-S, --parallel, -T) does
 * not decide what comes out: these are no ingredients, and a run with other ones is a hit.
 *
 * What is not known for sure is refused, and the command runs as if nobody was there: other orders than that of bytes
 * (the locale's files would be inputs), random orders, options that are not on the list, standard input, and an output
 * that is an input as well. */
#include "reviver.h"

/* Options that decide what comes out: alone, and with an argument. */
static const string SWITCHES = TEXT("bdfghiMmnrsuVz");
static const string WITH_ARGUMENT = TEXT("ktoST");
/* Of these, what does not. */
static const string RESOURCES = TEXT("ST");

static derived refuse(const char *why, uint32_t length, string word) {
    string reason = join((string){why, length}, word);
    return (derived){.error = true, .refused = {NOT_CACHEABLE, reason}};
}
#define REFUSE(why, word) refuse(why, sizeof(why) - 1, word)

/* Whether a variable of the operation has this value. */
static bool variable_is(string name, string wanted) {
    optional_string value;
    variable(name.at, name.length, &value);
    return value.some && equal(value.value, wanted);
}

static bool variable_is_set(string name) {
    optional_string value;
    variable(name.at, name.length, &value);
    return value.some;
}

/* What is asked of sort, as far as it is known. */
typedef struct {
    ingredient *ingredients;
    uint32_t ingredients_length;
    string output;
    string *files;
    uint32_t files_length;
} plan;

static void add(plan *plan, string label, enum source_kind kind, string value) {
    plan->ingredients[plan->ingredients_length++] = (ingredient){label, kind, value};
}

/* An option with its argument. The letter stands in front, so that `-t k` and `-k t` are two things. */
static void add_option(plan *plan, char letter, string argument) {
    char *at = NEW(char, 1);
    *at = letter;
    add(plan, TEXT("option"), SOURCE_TEXT, join((string){at, 1}, argument));
}

static derived derive(const operation *asked) {
    if (asked->argv.length == 0)
        return (derived){.error = true, .refused = {MALFORMED, TEXT("there is no command")}};
    if (!variable_is(TEXT("LC_ALL"), TEXT("C")))
        return REFUSE("the order is that of a locale; only that of LC_ALL=C is known", TEXT(""));
    if (variable_is_set(TEXT("POSIXLY_CORRECT")) || variable_is_set(TEXT("_POSIX2_VERSION")))
        return REFUSE("POSIXLY_CORRECT or _POSIX2_VERSION changes what the arguments mean", TEXT(""));
    if (asked->reads.length || asked->writes.length || asked->variables.length)
        return REFUSE("sort needs no declarations; with some, it is key-command's", TEXT(""));

    const string *argv = asked->argv.at;
    uint32_t count = asked->argv.length, room = 2;
    /* Each letter may be an option, and each word a file. */
    for (uint32_t i = 0; i < count; i++) room += argv[i].length + 1;
    plan plan = {.ingredients = NEW(ingredient, room), .files = NEW(string, count)};
    add(&plan, TEXT("sort"), SOURCE_PROGRAM, argv[0]);

    bool options = true;
    for (uint32_t i = 1; i < count; i++) {
        string word = argv[i];
        if (options && equal(word, TEXT("--"))) {
            options = false;
            continue;
        }
        if (!options || word.length == 0 || word.at[0] != '-') {
            if (options && word.length && word.at[0] == '+') return REFUSE("an old way to name a key: ", word);
            plan.files[plan.files_length++] = word;
            continue;
        }
        if (word.length == 1) return REFUSE("standard input is not followed: ", word);
        if (word.at[1] == '-') return REFUSE("a long option is not known: ", word);
        for (uint32_t j = 1; j < word.length; j++) {
            char letter = word.at[j];
            if (contains(SWITCHES, letter)) {
                add_option(&plan, letter, TEXT(""));
                continue;
            }
            if (!contains(WITH_ARGUMENT, letter)) return REFUSE("an option that is not known: ", word);
            /* The rest of the word, or the next one. */
            string argument = from(word, j + 1);
            if (argument.length == 0) {
                if (i + 1 == count) return REFUSE("an option without its argument: ", word);
                argument = argv[++i];
            }
            if (letter == 'k' && contains(argument, 'R')) return REFUSE("a random order: -k ", argument);
            if (letter == 'o') {
                if (plan.output.at) return REFUSE("two outputs: ", argument);
                plan.output = argument;
            } else if (!contains(RESOURCES, letter)) {
                add_option(&plan, letter, argument);
            }
            break;
        }
    }
    if (plan.files_length == 0) return REFUSE("standard input is not followed: no file is named", TEXT(""));

    for (uint32_t i = 0; i < plan.files_length; i++) {
        string file = plan.files[i];
        if (file.length == 0 || equal(file, TEXT("-"))) return REFUSE("standard input is not followed: ", file);
        if (plan.output.at && equal(file, plan.output)) return REFUSE("a file is sorted in place: ", file);
        add(&plan, TEXT("file"), SOURCE_FILE, file);
    }

    derivation answer = {.label = join(TEXT("sort "), plan.files[0]), .input = INPUT_UNUSED};
    if (plan.output.at) {
        add(&plan, TEXT("umask"), SOURCE_UMASK, TEXT(""));
        write *sorted = NEW(write, 1);
        *sorted = (write){TEXT("output"), plan.output, WRITE_FILE, false};
        answer.writes.at = sorted;
        answer.writes.length = 1;
    }
    answer.ingredients.at = plan.ingredients;
    answer.ingredients.length = plan.ingredients_length;
    return (derived){.error = false, .ok = answer};
}

/* There is no report, so this is never asked. */
static discovered discover(const operation *asked, string report) {
    (void)asked, (void)report;
    return (discovered){.error = true, .refused = {MALFORMED, TEXT("sort has no report")}};
}

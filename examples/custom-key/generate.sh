#!/bin/sh
# Makes words.h and words.c of words.txt: an enumeration of the words, and their texts.
set -eu

words=$(grep -v -e '^#' -e '^[[:space:]]*$' words.txt)

{
    echo '#pragma once'
    echo
    echo 'enum word {'
    for word in $words; do
        echo "    WORD_$(echo "$word" | tr '[:lower:]' '[:upper:]'),"
    done
    echo '    WORDS'
    echo '};'
    echo
    echo 'extern const char *const words[WORDS];'
} >words.h

{
    echo '#include "words.h"'
    echo
    echo 'const char *const words[WORDS] = {'
    for word in $words; do
        echo "    \"$word\","
    done
    echo '};'
} >words.c

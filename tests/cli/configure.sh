# What the scripts of autoconf do to find out about a compiler: config.h has what was found, config.log how.
exec 5>config.log
fail() { echo "configure: error: $*" >&2; exit 77; }
try() { echo "\$ $*" >&5; eval "$*" >conftest.said 2>conftest.err </dev/null; status=$?
    cat conftest.said conftest.err >&5; echo "= $status" >&5; return $status; }
source() { cat >conftest.c; }
yes() { echo "#define $1 1" >>config.h; }
: >config.h
source <<'END'
int main(void) { return 0; }
END
try "$CC conftest.c" || fail "the C compiler cannot create executables"
[ -f a.out ] && ./a.out || fail "a.out does not run"
rm -f a.out
try "$CC -o conftest$EXEEXT $CFLAGS conftest.c" && ./conftest$EXEEXT || fail "cannot run what is compiled"
rm -f conftest$EXEEXT conftest.o
try "$CC -c $CFLAGS conftest.c" && [ -f conftest.o ] || fail "no object suffix"
try "$CC -c $CFLAGS conftest.c -o conftest2.o" && try "$CC -c $CFLAGS conftest.c -o conftest2.o" && yes C_O
source <<'END'
#ifndef __GNUC__
choke me
#endif
int main(void) { return 0; }
END
try "$CC -c $CFLAGS conftest.c" && yes GNU
try "$CC -c -g conftest.c" && yes DEBUG
try "$CC -c -Werror -fno-such-option conftest.c" && yes NO_SUCH_OPTION
try "$CC --version" && try "$CC -v" && try "$CC -V"; try "$CC -qversion"
for header in stdio.h stdlib.h sys/types.h no_such_header.h; do
    echo "#include <$header>" | source
    name=$(echo $header | tr a-z./ A-Z__)
    try "$CC -E conftest.c" && yes CPP_$name
    try "$CC -c $CFLAGS conftest.c" && yes HAVE_$name
done
for function in printf no_such_function; do
    echo "char $function(); int main(void) { return $function(); }" | source
    try "$CC -w -o conftest$EXEEXT $CFLAGS conftest.c" && yes HAVE_$function
done
source <<'END'
#include <stdio.h>
int main(void) { FILE *f = fopen("conftest.val", "w"); return !f || fprintf(f, "%d", (int)sizeof(long)) < 0 || fclose(f); }
END
try "$CC -o conftest$EXEEXT $CFLAGS conftest.c" && ./conftest$EXEEXT && echo "#define SIZEOF_LONG $(cat conftest.val)" >>config.h
echo 'int x[1 - 2 * !(sizeof(long) >= 4)]; int main(void) { return x[0] = 0; }' | source
try "$CC -c $CFLAGS conftest.c" && yes LARGE
echo 'int piped;' | eval "$CC -x c -c -o conftest.o -" 2>&5 && yes PIPE
rm -f conftest* a.out

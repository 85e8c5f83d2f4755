# A small repository for each case of a script test, with our Makefile and scripts (tests/build/make-tree). Nothing of
# the make that runs the test reaches the make that a case runs.
make_tree() {
    unset MAKEFLAGS GNUMAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MAKEFILES B BUILD PRECISION SAN DEBUG OPENMP HARDEN \
        PREFIX DESTDIR CFLAGS CPPFLAGS LDFLAGS ISAS AR CHECK_CFLAGS CHECK_LIBS RUN MPI MPICC
    "$TOP/tests/build/make-tree"
}

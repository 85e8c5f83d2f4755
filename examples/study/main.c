/* study: what textbooks claim about attention, measured. */
#include "study.h"

int study_main(int argc, char **argv);

int main(int argc, char **argv) { return study_main(argc, argv); }

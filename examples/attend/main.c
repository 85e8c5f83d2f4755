/* attend: every attention weight and every gradient of a model, and what changes if a value in it is replaced. */
#include "program.h"

static const command commands[] = {
    {"show", "attend show --model DIR [--source TEXT] [--target TEXT] [--html FILE]",
     "weights and gradients of attention, for a sentence: on the terminal, as files, as a page", show_options,
     command_show},
    {"list", "attend list --model DIR", "the names of all places that can be looked at or replaced",
     list_options, command_list},
    {"mask", "attend mask --model DIR --source TEXT",
     "who does not see whom, and why, in the attention of a sentence", mask_options, command_mask},
    {"leak", "attend leak --model DIR --source TEXT",
     "proves that no output depends on a word that comes later, or on padding", leak_options, command_leak},
    {"check", "attend check --model DIR",
     "the gates: order and source matter, the loss is what it says, and eight more", check_options,
     command_check},
    {"gradcheck", "attend gradcheck --model DIR",
     "all gradients against differences; names the operation whose backward is wrong", gradcheck_options,
     command_gradcheck},
    {"heads", "attend heads --model DIR [--test FILE] [--ablate zero|mean|both] [--csv FILE] [--svg FILE]",
     "what each head does over a test set: importance, where it looks, alignment, the loss without it",
     heads_options, command_heads},
    {"prune", "attend prune --model DIR [--score] [--csv FILE] [--svg FILE] [--out DIR --remove N]",
     "how good the model is without its least important heads, and without others; the smaller model",
     prune_options, command_prune},
    {"patch", "attend patch --model DIR --source TEXT --to TEXT",
     "a sentence run with what another had in heads, layers, positions: how much of the way from one to the "
     "other that goes",
     patch_options, command_patch},
    {"logits", "attend logits --model DIR --source TEXT",
     "what a word's logit is made of, head by head; or what each depth would already say", logits_options,
     command_logits},
    {"flow", "attend flow --model DIR [--source TEXT] [--word N]",
     "what of its input a word came from, as several methods have it", flow_options, command_flow},
    {"compare",
     "attend compare --model DIR --with DIR | --with-weights last | --with-fresh  [--offsets N] [--extreme "
     "ATTENTION.HEAD]",
     "two models head by head, on a sentence or a test set; heads by relative position; a head's extreme "
     "sentences",
     compare_options, command_compare},
};

static void defaults(const command *c, settings *s) {
    (void)c;
    *s =
        (settings){.common = {.run = tl_run_settings_default(), .model = "runs/translate", .weights = "best"},
                   .show = {.quantity = "A,dS", .head = "all"},
                   .patch = {.by = "heads", .asked = {.of = "nll"}},
                   .compare = {.by = "divergence", .maps = 2},
                   .flow = {.asked = {.of = "logit"}, .head = "mean"},
                   .gradcheck = {.sample = 10}};
}

program this_program = {.name = "attend",
                        .about = "Looks at the attention of a trained model, at its gradients, and "
                                 "at what the model does without parts of it.",
                        .commands = commands,
                        .count = sizeof commands / sizeof *commands,
                        .together = (const char *const[]){"heads", NULL},
                        .settings_size = sizeof(settings),
                        .unit = "sentence",
                        .any_run = true,
                        .defaults = defaults};

int main(int argc, char **argv) { return program_main(argc, argv); }

/* The two pages, made only from numbers and records: a claim's verdicts follow by its rules from the numbers shown
 * beside them. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "parts.h"

#include "../program/program.h"

#include <stdlib.h>
#include <string.h>

typedef struct writing {
    FILE *out;
    bool chinese;
    const char *folder;
} writing;

static const char *of(const writing *w, words text) { return w->chinese && text.zh ? text.zh : text.en; }

#define SAY(w, english, chinese) of(w, (words){english, chinese})

/* ---- one claim ---- */

static void put_row(const writing *w, const rule *rule, const finding *f) {
    char mean[32], low[32], high[32];
    fprintf(w->out, "| %s | %s | %s | %s … %s | %s %g | **%s** |\n", of(w, rule->says),
            of(w, rule->published), number_text(f->interval.mean, mean), number_text(f->interval.low, low),
            number_text(f->interval.high, high), rule->below ? "<" : ">", rule->margin,
            of(w, verdict_words(f->verdict)));
}

static void put_table(const writing *w, const claim *c, const finding *findings) {
    fputs(SAY(w, "\n| | published | ours | 95 % interval | must be | |\n",
              "\n| | 文献 | 本研究 | 95% 区间 | 要求 | |\n"),
          w->out);
    fputs("|---|---|---|---|---|---|\n", w->out);
    for (int r = 0; r < c->rule_count; r++) {
        rule with_unit = c->rules[r];
        char says[1024];
        snprintf(says, sizeof says, w->chinese ? "%s（%s）" : "%s (%s)", of(w, with_unit.says),
                 of(w, with_unit.unit));
        if (*of(w, with_unit.unit)) with_unit.says = (words){says, says};
        put_row(w, &with_unit, &findings[r]);
    }
}

static void put_remarks(const writing *w, const claim *c, const finding *findings) {
    for (int k = 0; k < c->remark_count; k++)
        if (findings[c->remarks[k].rule].verdict == c->remarks[k].when)
            fprintf(w->out, "\n%s\n", of(w, c->remarks[k].says));
}

static void put_record(const writing *w, const record *r) {
    if (w->chinese)
        fprintf(w->out, "\n%ld 个种子，%s，%s，%s，%.0f 核秒，平均负载 %.1f。\n", r->seeds, r->machine,
                r->build, r->date, r->core_seconds, r->load);
    else
        fprintf(w->out, "\n%ld seed%s, %s, %s, %s, %.0f core-seconds, mean load %.1f.\n", r->seeds,
                r->seeds == 1 ? "" : "s", r->machine, r->build, r->date, r->core_seconds, r->load);
    if (strcmp(r->budget, "full"))
        fprintf(w->out,
                SAY(w, "\n**Measured with the budget \"%s\": fewer updates and seeds than the study has.**\n",
                    "\n**本节按“%s”预算测得：更新次数和种子都少于完整的研究。**\n"),
                r->budget);
}

static void put_findings(const writing *w, const claim *c, const numbers *n) {
    finding findings[RULES_MOST];
    claim_judge(c, n, findings);
    put_table(w, c, findings);
    put_remarks(w, c, findings);
}

char *claim_text(const claim *c, const numbers *n, bool chinese) {
    char *text = NULL;
    tl_error error = {""};
    writing w = {tl_text_open(&text, TEXT_MOST, &error), chinese, NULL};
    if (!w.out) return NULL;
    put_findings(&w, c, n);
    tl_text_close(w.out, &text, NULL, &error);
    return text;
}

static void put_measured(const writing *w, const claim *c, const numbers *n, const record *r) {
    put_findings(w, c, n);
    fprintf(w->out, "\n![%s](study/%s.svg)\n", of(w, c->title), c->name);
    put_record(w, r);
}

static bool put_claim(const writing *w, const claim *c, tl_error *error) {
    char path[PATH_SIZE], file[NAME_SIZE + 16];
    numbers n = {.row = NULL};
    record r;
    snprintf(file, sizeof file, "study/%s.csv", c->name);
    bool there;
    tl_file_look(path_in(path, w->folder, file), &there, error);
    const bool measured =
        there && record_read(w->folder, c->name, &r, error) && numbers_read(&n, path, error);
    fprintf(w->out, "\n## %s\n\n%s\n\n%s\n", of(w, c->title), c->source, of(w, c->paragraph));
    if (measured)
        put_measured(w, c, &n, &r);
    else
        fputs(SAY(w, "\nNot measured yet.\n", "\n尚未测量。\n"), w->out);
    fprintf(w->out, "\n```sh\nbuild/study %s%s\n```\n", c->name, c->needs_data ? " --data DIR" : "");
    numbers_free(&n);
    return !tl_failed(error);
}

/* ---- the whole ---- */

static void put_head(const writing *w) {
    fputs(SAY(w,
              "<!-- Written by build/study out of docs/study/: change the claims (examples/study), not this "
              "page. -->\n# What textbooks claim about attention, measured\n\n"
              "`make study` trains what these claims need, on one machine, in less than an hour, and writes "
              "this page. Nothing was chosen after the fact: task, sizes, seeds, the number that is looked "
              "at, the margin and the rule stand in `examples/study`, a file a claim, before anything runs. "
              "Each rule is about a difference, paired by seed. It *holds* if the 95 % interval of the mean "
              "difference (Student's t) lies wholly on the right side of the margin, *does not hold here* if "
              "wholly on the wrong one, and is *undecided* otherwise. *Here* means: models and data as small "
              "as ours.\n\n"
              "While the claims were written they were tried out on other seeds (`--trial`) than those that "
              "are reported. What was seen there went into rates, sizes and two of the rules. Nothing that "
              "decides a verdict was changed once the reported seeds had run, but for one program: that of "
              "`rank` had run on them in an earlier form, in which sums with skips were not divided by √2. "
              "Its verdicts were the same.\n",
              "<!-- 本页由 build/study 根据 docs/study/ 写成：如需改动，请修改 examples/study 中的命题，勿"
              "改本页。 -->\n# 教科书关于注意力的说法：实测\n\n"
              "`make study` 在一台机器上训练这些命题所需的模型，用时不到一小时，并写出本页。没有任何选择是"
              "事后做出的：任务、规模、种子、所考察的数值、界限与规则，都在运行之前写在 `examples/study` 里"
              "，一个命题一个文件。每条规则考察一个按种子配对的差。若平均差的 95% 区间（Student t）完全落在"
              "界限的正确一侧，规则就*成立*；若完全落在错误的一侧，规则在*此处不成立*；否则*无法判定*。“此"
              "处”是指：模型和数据像我们的一样小。\n\n"
              "编写命题时，我们用另外的种子（`--trial`"
              "）做过试验；本页报告的不是那些种子。试验中看到的情况影响了学习率、规模和其中两条规则；"
              "报告的种子运行之后，凡是决定判定的内容都没有再改，只有一个例外：`rank` "
              "的程序曾以较早的形式在这些种子上运行过，那时带残差连接的和没有除以 √2；各条判定相同。\n"),
          w->out);
}

/* " 3 hold, 1 does not hold here": a claim's rules by verdict. */
static void put_counts(const writing *w, const claim *c, const finding *findings) {
    static const verdict order[] = {HOLDS, DOES_NOT_HOLD, UNDECIDED};
    const char *before = " ";
    for (int v = 0; v < 3; v++) {
        int count = 0;
        for (int r = 0; r < c->rule_count; r++) count += findings[r].verdict == order[v];
        if (!count) continue;
        if (w->chinese)
            fprintf(w->out, "%s%d 条%s", before, count, verdict_words(order[v]).zh);
        else
            fprintf(w->out, "%s%d %s", before, count,
                    order[v] == UNDECIDED ? "undecided"
                    : order[v] == HOLDS   ? count == 1 ? "holds" : "hold"
                    : count == 1          ? "does not hold here"
                                          : "do not hold here");
        before = SAY(w, ", ", "，");
    }
}

static void put_summary(const writing *w, tl_error *error) {
    record all;
    if (record_read(w->folder, RECORD_OF_ALL, &all, error))
        fprintf(w->out,
                SAY(w,
                    "\nAll together took %.0f core-seconds, each task on one thread (%s). A run that several "
                    "claims look at is counted once.\n",
                    "\n全部合计 %.0f 核秒，每项任务用一个线程（%s）。多个命题共用的训练只计一次。\n"),
                all.core_seconds, all.machine);
    fputs(SAY(w, "\n| claim | its rules |\n|---|---|\n", "\n| 命题 | 各条规则 |\n|---|---|\n"), w->out);
    for (int i = 0; claims[i]; i++) {
        const claim *c = claims[i];
        char path[PATH_SIZE], file[NAME_SIZE + 16];
        numbers n = {.row = NULL};
        finding findings[RULES_MOST];
        snprintf(file, sizeof file, "study/%s.csv", c->name);
        fprintf(w->out, "| %s |", of(w, c->title));
        bool there;
        tl_file_look(path_in(path, w->folder, file), &there, error);
        if (there && numbers_read(&n, path, error)) {
            claim_judge(c, &n, findings);
            put_counts(w, c, findings);
        } else {
            fputs(SAY(w, " not measured yet", " 尚未测量"), w->out);
        }
        fputs(" |\n", w->out);
        numbers_free(&n);
    }
}

char *page_text(const char *folder, bool chinese, tl_error *error) {
    char *text = NULL;
    writing w = {tl_text_open(&text, TEXT_MOST, error), chinese, folder};
    if (!w.out) return NULL;
    put_head(&w);
    put_summary(&w, error);
    for (int i = 0; claims[i] && !tl_failed(error); i++) put_claim(&w, claims[i], error);
    if (tl_text_close(w.out, &text, NULL, error) && !tl_failed(error)) return text;
    free(text);
    return NULL;
}

static bool write_one(const char *folder, const char *file, bool chinese, tl_error *error) {
    char path[PATH_SIZE], *text = page_text(folder, chinese, error);
    const bool ok = text && tl_file_write(path_in(path, folder, file), text, strlen(text), error);
    free(text);
    return ok;
}

bool page_write(const char *folder, tl_error *error) {
    return write_one(folder, "study.md", false, error) && write_one(folder, "study.zh-CN.md", true, error);
}

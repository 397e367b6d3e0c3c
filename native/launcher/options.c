#include "launcher.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static long number(const char *text, const char *name, char **rest) {
  errno = 0;
  long value = strtol(text, rest, 10);
  if (*rest == text || errno || value < 0 || value > UINT_MAX) die(126, name, "not a number");
  return value;
}

static long only_number(const char *text, const char *name) {
  char *rest;
  long value = number(text, name, &rest);
  if (*rest) die(126, name, "not a number");
  return value;
}

// `--groups=` means no groups; `--groups=36,107` means two.
static void parse_groups(const char *text, struct options *options) {
  char *rest;
  for (; *text; text = *rest ? rest + 1 : rest) {
    if (options->group_count == MOST_GROUPS) die(126, "--groups", "too many groups");
    options->groups[options->group_count++] = (gid_t)number(text, "--groups", &rest);
    if (*rest && *rest != ',') die(126, "--groups", "not a list of numbers");
  }
}

struct options parse_options(int count, char **arguments) {
  enum { parent = 1, keep, namespace, uid, gid, groups, environment };
  static const struct option known[] = {
      {"parent", required_argument, NULL, parent}, {"keep", required_argument, NULL, keep},
      {"namespace", required_argument, NULL, namespace}, {"uid", required_argument, NULL, uid},
      {"gid", required_argument, NULL, gid}, {"groups", required_argument, NULL, groups},
      {"environment", no_argument, NULL, environment}, {0}};
  struct options options = {.parent = 0, .namespace = -1};
  int given = 0;
  for (int option; (option = getopt_long(count, arguments, "+", known, NULL)) != -1; given |= 1 << option) {
    switch (option) {
    case parent: options.parent = (pid_t)only_number(optarg, "--parent"); break;
    case keep: options.keep = (int)only_number(optarg, "--keep"); break;
    case namespace: options.namespace = (int)only_number(optarg, "--namespace"); break;
    case uid: options.uid = (uid_t)only_number(optarg, "--uid"); break;
    case gid: options.gid = (gid_t)only_number(optarg, "--gid"); break;
    case groups: parse_groups(optarg, &options); break;
    case environment: options.environment = 1; break;
    default: die(126, "options", "unknown or incomplete (was the launcher built from another version?)");
    }
  }
  options.command = arguments + optind;
  options.has_identity = (given & 1 << uid) != 0;
  if (options.has_identity && !(given & 1 << gid)) die(126, "--uid", "needs --gid");
  if (!options.parent) die(126, "--parent", "missing");
  if (!*options.command) die(126, "command", "missing");
  return options;
}

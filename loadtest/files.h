// Commands on result files: gridwarden-load merge, html, show.
#ifndef GW_LOADTEST_FILES_H
#define GW_LOADTEST_FILES_H

// One of the commands: argv[0] is its name ("merge", "html", "show"), its words follow. Returns the
// exit code: 0, 1 (a file is wrong or cannot be read or written; said on stderr), 2 (wrong words).
//   merge A.json B.json ... -o C.json   the union of runs that ran side by side
//   html A.json [-o A.html]             the page of a result; beside the file unless said otherwise
//   show A.json                         its table, on stdout
int load_files_command(int argc, char **argv);

#endif

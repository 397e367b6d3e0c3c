// The main module of the process that a cluster is, started by `xc start`. It requires the code and does not import it:
// Node then reads the 300 files one after the other, at once. Importing them, it has its thread pool read each, and
// needs a third more of a processor.
require('../dist/owner/main.js')

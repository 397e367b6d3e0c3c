const { join } = require('node:path')

// The main module of the process that a cluster is, started by `xc start`. It requires the code and does not import it:
// Node then reads its files one after the other, at once. Importing them, it has its thread pool read each.
require(join(__dirname, '../dist/programs/owner.js'))

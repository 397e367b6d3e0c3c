const { join } = require('node:path')
const { load } = require('./load.js')

// The main module of the process that a cluster is, started by `xc start`.
load(join(__dirname, '../dist/programs/owner.js'))

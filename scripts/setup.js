// @ts-check
import { everything } from './setup/everything.js'
import { prepare } from './setup/prepare.js'

process.exitCode = await prepare(everything())

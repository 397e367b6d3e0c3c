// @ts-check
import { building } from './setup/everything.js'
import { prepare } from './setup/prepare.js'

process.exitCode = await prepare(building())

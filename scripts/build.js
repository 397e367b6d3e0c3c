// @ts-check
import { building, prepare } from './setup/prepare.js'

process.exitCode = await prepare(building())

// @ts-check
import { everything, prepare } from './setup/prepare.js'

process.exitCode = await prepare(everything())

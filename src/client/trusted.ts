import * as files from 'node:fs'
import { trustBy } from '../base/index.ts'

/** Throws PLACE_UNSAFE for a directory that another user could replace. */
export const requireTrustedPlace = trustBy(files, process.geteuid!())

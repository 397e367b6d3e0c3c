#!/usr/bin/env node
// @ts-check
/**
 * Builds the native code that the package brings, into prebuilds/. A platform whose compiler this machine lacks is named
 * and left out; with --all that is an error.
 *
 * node scripts/prebuild.js [--all]
 */
import { prebuildAll } from './prebuild/build.js'

const { built, left } = await prebuildAll()
for (const { name, arch, size, libraries, glibc } of built)
  console.error(
    `linux-${arch}/${name}: ${size} bytes, needs ${libraries.length === 0 ? 'no library' : `glibc ${glibc} or musl`}`,
  )
for (const sentence of left) console.error(sentence)
if (process.argv.includes('--all') && left.length > 0) process.exitCode = 4

// @ts-check
import { codeCache } from './code-cache.js'
import { debianPackages, packagesFor } from './debian.js'
import { fittingNative } from './fitting-native.js'
import { guestImage, guestPackages } from './guest.js'

/**
 * Everything between an installed package and a machine that can start a cluster: `xc setup`.
 * @param {{ install: boolean, build: boolean }} options `install`: Debian packages may be installed; `build`: native
 * code is built here even if the package brings it
 */
export const packaged = ({ install, build }) => [
  debianPackages(packagesFor.running, { install }),
  fittingNative({ install, build }),
  codeCache(),
  guestPackages(),
  guestImage(),
]

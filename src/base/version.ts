/** The version of the project. A house test keeps it equal to package.json's; a constant costs no file read. */
export const version = '0.1.0'

/** The header with this version in every response of an owner: client and owner must have the same version. */
export const versionHeader = 'x-xcluster-version'

/** The header of a request that wants the stack of an error in the answer (`--debug`). */
export const debugHeader = 'x-xcluster-debug'

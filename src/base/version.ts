/** The version of all of this. A house test keeps it equal to package.json's; a constant costs no file read. */
export const version = '0.1.0'

/** The header that carries it on every answer of an owner: client and owner must be of one version. */
export const versionHeader = 'x-xcluster-version'

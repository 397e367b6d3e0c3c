// @ts-check
import { appendFile, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { command } from '../setup/command.js'

const unused = ['doc', 'man', 'locale', 'info', 'lintian', 'bash-completion'].map(
  name => `--exclude=./usr/share/${name}/*`,
)

/**
 * Unpacks packages into a root file system without running any of their scripts, and notes them as installed.
 * @param {string} root
 * @param {readonly string[]} files
 */
export async function unpackRoot(root, files) {
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    await mkdir(join(root, 'usr', name), { recursive: true })
    await symlink(`usr/${name}`, join(root, name))
  }
  await mkdir(join(root, 'var/lib/dpkg/updates'), { recursive: true })
  for (const file of files) {
    await unpack(root, file)
    const control = (await command('dpkg-deb', ['--field', file])).trim()
    const status = control.replace('\n', '\nStatus: install ok installed\n')
    await appendFile(join(root, 'var/lib/dpkg/status'), `${status}\n\n`)
  }
  await finish(root)
}

/**
 * tar instead of dpkg-deb -x: that would replace the links of `usr` by directories of old packages.
 * @param {string} root
 * @param {string} file
 */
async function unpack(root, file) {
  const script = `
    file=$1 root=$2; shift 2
    dpkg-deb --fsys-tarfile "$file" | tar -x -C "$root" --no-same-owner --keep-directory-symlink "$@"`
  await command('sh', ['-euc', script, 'sh', file, root, ...unused])
}

/** What the scripts of the packages would have made. @param {string} root */
async function finish(root) {
  for (const name of ['passwd', 'group'])
    await copyFile(join(root, `usr/share/base-passwd/${name}.master`), join(root, 'etc', name))
  for (const name of ['proc', 'sys', 'dev', 'run', 'tmp', 'root', 'var/cache', 'usr/local/bin'])
    await mkdir(join(root, name), { recursive: true })
  await writeFile(join(root, 'etc/hostname'), 'ground\n')
  await writeFile(join(root, 'etc/hosts'), '127.0.0.1 localhost\n::1 localhost\n')
  await symlink('gawk', join(root, 'usr/bin/awk'))
}

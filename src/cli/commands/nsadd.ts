import { addingCommand } from '../numbered.ts'

export const configure = addingCommand({ docker: false })

import { addingCommand } from './shared/add-namespace.ts'

export const configure = addingCommand({ docker: false })

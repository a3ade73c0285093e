/** What somebody has to be to see a page. The server decides what it answers; this decides what is shown. */

/** `stranger`: not signed in. `account`: signed in. Names with a dot in them: signed in, with that permission, or one of several. */
export type Needs = 'anybody' | 'stranger' | 'account' | 'admin' | 'super_admin' | `${string}.${string}`;

/** What somebody who is signed in may do. */
export interface Rights {
  isAdmin: boolean;
  isSuperAdmin: boolean;
  can(permission: string): boolean;
}

/** Whether the rights of somebody who is signed in are enough. */
export function meets(needs: Needs, rights: Rights): boolean {
  switch (needs) {
    case 'anybody':
    case 'account':
      return true;
    case 'stranger':
      return false;
    case 'admin':
      return rights.isAdmin;
    case 'super_admin':
      return rights.isSuperAdmin;
    default:
      return needs.split('|').some((permission) => rights.can(permission));
  }
}

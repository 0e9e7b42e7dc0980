import { chatBase } from "@/config/endpoints";
import type { Http } from "@/lib/http";
import type { Device } from "@/types/protocol";

/** What a person does about their own account: where they are signed in, and their password. */
export function createAccount(http: Http) {
  const sessions = `${chatBase()}/api/auth/sessions`;
  return {
    /** The newest first. */
    devices: async (): Promise<Device[]> => (await http<{ sessions: Device[] }>("GET", sessions)).sessions,
    signOut: (id: string): Promise<void> => http("DELETE", `${sessions}/${encodeURIComponent(id)}`),
    /** Here too. */
    signOutEverywhere: (): Promise<void> => http("DELETE", sessions),
    /** Ends every other session. */
    changePassword: (password: string, new_password: string): Promise<unknown> =>
      http("POST", `${chatBase()}/api/auth/password`, { password, new_password }),
  };
}

export type Account = ReturnType<typeof createAccount>;

import type { Clock } from "@/lib/clock";
import { TooLate, within } from "@/lib/patience";
import { createStore, type Store } from "@/lib/store";
import type { OutboxDisk } from "./disk";

export interface PatientDisk extends OutboxDisk {
  /** False once the browser gave no storage, or gave no answer in time; true again when it answers after all. */
  keeps: Store<boolean>;
}

/** A wedged profile may never answer: nobody waits longer for it, once. */
export const PATIENCE_MS = 2_000;

/**
 * A disk that is asked everything and waited for a moment only. While it does not answer, everything is refused at
 * once, yet still asked, in order: a disk that comes to is as it should be then.
 */
export function patientDisk(opening: Promise<OutboxDisk>, clock: Clock): PatientDisk {
  const keeps = createStore(true);
  let durable = false;
  let wedged = false;

  const answered = (kept: boolean) => {
    wedged = false;
    keeps.set(kept);
  };

  async function ask<T>(act: (disk: OutboxDisk) => Promise<T>): Promise<T> {
    const asked = opening.then((disk) => {
      durable = disk.durable;
      return act(disk);
    });
    asked.then(() => answered(durable), () => answered(false)); // a full or forbidden disk answers, and keeps nothing
    if (wedged) throw new TooLate("the disk does not answer");
    try {
      return await within(clock, PATIENCE_MS, asked);
    } catch (thrown) {
      if (thrown instanceof TooLate) {
        wedged = true;
        keeps.set(false);
      }
      throw thrown;
    }
  }

  return {
    keeps,
    get durable() {
      return durable;
    },
    all: (user) => ask((disk) => disk.all(user)),
    put: (item) => ask((disk) => disk.put(item)),
    remove: (user, client_id) => ask((disk) => disk.remove(user, client_id)),
    wipe: (user) => ask((disk) => disk.wipe(user)),
  };
}

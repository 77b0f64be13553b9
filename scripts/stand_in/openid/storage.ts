/** The provider's storage, in memory: sessions, interactions, grants, codes and refresh tokens. */

/** A stored item. */
export interface Payload {
  readonly uid?: string;
  readonly grantId?: string;
  /** When it was consumed, in seconds since the epoch. */
  consumed?: number;
}

/** The package's interface to the storage of one model; the package awaits every result, and checks expiry itself. */
export interface Adapter {
  upsert(id: string, payload: Payload): void;
  find(id: string): Payload | undefined;
  findByUid(uid: string): Payload | undefined;
  consume(id: string): void;
  destroy(id: string): void;
  revokeByGrantId(grantId: string): void;
}

/** Opens an empty storage, which returns an adapter for each model by name. */
export function openStorage(): (model: string) => Adapter {
  const models = new Map<string, Adapter>();
  return (model) => {
    const adapter = models.get(model) ?? createAdapter();
    models.set(model, adapter);
    return adapter;
  };
}

function createAdapter(): Adapter {
  const items = new Map<string, Payload>();
  return {
    upsert: (id, payload) => void items.set(id, payload),
    find: (id) => items.get(id),
    findByUid: (uid) => items.values().find((item) => item.uid === uid),
    consume(id) {
      const item = items.get(id);
      if (item !== undefined) item.consumed = Math.floor(Date.now() / 1000);
    },
    destroy: (id) => void items.delete(id),
    revokeByGrantId(grantId) {
      for (const [id, item] of items) {
        if (item.grantId === grantId) items.delete(id);
      }
    },
  };
}

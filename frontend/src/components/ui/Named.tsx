/** A name in a sentence that `Named` shows: between Unicode's signs for what has a direction of its own. */
export const named = (name: string): string => `\u2068${name}\u2069`;

/** A sentence with names of people and rooms, each in its own direction: one from right to left turns nothing else. */
export const Named = ({ text }: { text: string }) =>
  text.split(/\u2068(.*?)\u2069/s).map((part, at) =>
    at % 2 ? <bdi key={at}>{part}</bdi> : <span key={at}>{part}</span>,
  );

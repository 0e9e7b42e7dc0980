import type { ComponentProps, MouseEvent } from "react";
import { useHref, useLinkClickHandler } from "react-router";

/** A link to a place of this page. React Router's own one can fetch data ahead, of which this page has none: 2 kB. */
export function Link({ to, onClick, ...rest }: ComponentProps<"a"> & { to: string }) {
  const follow = useLinkClickHandler<HTMLAnchorElement>(to);
  const clicked = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (!event.defaultPrevented) follow(event);
  };
  return <a {...rest} href={useHref(to)} onClick={clicked} />;
}

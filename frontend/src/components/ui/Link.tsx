import type { ComponentProps, MouseEvent } from "react";
import { useHref, useLinkClickHandler, useNavigate } from "react-router";
import { isCovered } from "@/lib/layers";

/** A link to a place of this page. React Router's own one can fetch data ahead, of which this page has none: 2 kB. */
export function Link({ to, onClick, ...rest }: ComponentProps<"a"> & { to: string }) {
  const navigate = useNavigate();
  const follow = useLinkClickHandler<HTMLAnchorElement>(to);
  const clicked = (event: MouseEvent<HTMLAnchorElement>) => {
    const replaces = isCovered() && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    onClick?.(event);
    if (event.defaultPrevented) return;
    if (!replaces) return follow(event);
    event.preventDefault();
    void navigate(to, { replace: true });
  };
  return <a {...rest} href={useHref(to)} onClick={clicked} />;
}

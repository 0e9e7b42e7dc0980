/** Fingers, and a keyboard that covers half of the screen: it comes when it is asked for, and Enter is a new line. */
export const isTouch = (): boolean => matchMedia("(pointer: coarse)").matches;

/** The address in what an operator wrote under `contact:`, for the pages that make a link of it. */

const mail = /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/;
const web = /https:\/\/[^\s<>"']{1,200}[^\s<>"'.,;)]/;

/** @returns the first web or mail address with its link; undefined when there is neither. */
export function contactAddress(contact: string): { readonly text: string; readonly href: string } | undefined {
  const page = web.exec(contact)?.[0];
  if (page !== undefined && URL.canParse(page)) return { text: page, href: page };
  const address = mail.exec(contact)?.[0];
  return address === undefined ? undefined : { text: address, href: `mailto:${address}` };
}

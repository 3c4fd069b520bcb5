/** Runs in an app: a click on a link with `download`. */
export function clickDownload(target: string): void {
  const link = document.createElement('a');
  Object.assign(link, { href: target, download: 'saved.bin' });
  document.body.append(link);
  link.click();
}

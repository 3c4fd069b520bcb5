/** The demo service and TiddlyWiki, to be run inside a far namespace: `node far-service.ts ADDRESS PORT`. */
import { demoService } from '../../../server/connector/demo/demo-service.ts';

const [address, port] = process.argv.slice(2);
demoService().listen(Number(port), address, () => process.stdout.write('listening\n'));

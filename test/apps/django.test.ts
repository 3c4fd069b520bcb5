/** Django's admin: a session that scripts may not see, tokens in forms, a pop-up that hands back what was made in it, and a file. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from './harness/app.ts';
import { testRealApp } from './harness/test-real-app.ts';

const python = '/usr/bin/python3';
/** As many bytes as Django keeps in a file of its own. */
const fileBytes = 3_000_000;

const files = (folder: string): Record<string, string> => ({
  'manage.py': `import os, sys
os.environ['DJANGO_SETTINGS_MODULE'] = 'settings'
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
`,
  'settings.py': `DEBUG = True
SECRET_KEY = 'beans'
ALLOWED_HOSTS = ['*']
ROOT_URLCONF = 'urls'
INSTALLED_APPS = ['django.contrib.' + name for name in ['admin', 'auth', 'contenttypes', 'sessions', 'messages', 'staticfiles']] + ['garden']
MIDDLEWARE = [
    'django.contrib.sessions.middleware.SessionMiddleware',
    'django.middleware.csrf.CsrfViewMiddleware',
    'django.contrib.auth.middleware.AuthenticationMiddleware',
    'django.contrib.messages.middleware.MessageMiddleware',
    'django.middleware.clickjacking.XFrameOptionsMiddleware',
]
processors = ['django.template.context_processors.request', 'django.contrib.auth.context_processors.auth', 'django.contrib.messages.context_processors.messages']
TEMPLATES = [{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'APP_DIRS': True, 'OPTIONS': {'context_processors': processors}}]
DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': '${join(folder, 'garden.sqlite3')}'}}
DEFAULT_AUTO_FIELD = 'django.db.models.AutoField'
STATIC_URL = '/static/'
MEDIA_URL = '/media/'
MEDIA_ROOT = '${join(folder, 'media')}'
`,
  'urls.py': `from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import path
urlpatterns = [path('admin/', admin.site.urls)] + static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)
`,
  'garden/__init__.py': '',
  'garden/models.py': `from django.db import models
class Bed(models.Model):
    name = models.CharField(max_length=40)
    def __str__(self):
        return self.name
class Crop(models.Model):
    name = models.CharField(max_length=40)
    bed = models.ForeignKey(Bed, on_delete=models.CASCADE)
    picture = models.FileField()
    def __str__(self):
        return self.name
`,
  'garden/admin.py': `from django.contrib import admin
from .models import Bed, Crop
admin.site.register([Bed, Crop])
`,
});

testRealApp({
  name: 'django',
  start: async (place) => {
    const project = join(place.folder, 'project');
    mkdirSync(join(project, 'garden'), { recursive: true });
    for (const [name, text] of Object.entries(files(place.folder))) writeFileSync(join(project, name), text);
    manage(place, ['makemigrations', 'garden']);
    manage(place, ['migrate', '--verbosity=0']);
    const who = ['--noinput', '--username=grace', '--email=grace@example.org'];
    manage(place, ['createsuperuser', ...who], { DJANGO_SUPERUSER_PASSWORD: 'hopper' });
    place.spawn(python, ['manage.py', 'runserver', '--noreload', `127.0.0.1:${place.port}`], { cwd: project });
    await place.answers('/admin/login/');
  },
  visit: async (page) => {
    await page.goto('/admin/');
    await page.fill('#id_username', 'grace');
    await page.fill('#id_password', 'hopper');
    await page.click('input[type=submit]');
    await page.see('#user-tools');
    await page.goto('/admin/garden/crop/add/');
    await page.fill('#id_name', 'Möhren');
    const window = await page.popUp('#add_id_bed');
    await window.fill('#id_name', 'north');
    await window.click('[name=_save]');
    await page.see('#id_bed:has(option:checked:text-is("north"))');
    await page.evaluate(chooseFile, fileBytes);
    await page.look('written');
    await page.click('[name=_continue]');
    await page.see('.messagelist .success');
    await page.look('added');
    const size = await page.evaluate(sizeOfPicture, undefined);
    if (size !== fileBytes) throw new Error(`the picture has ${size} bytes`);
    await page.click('a[href="/admin/logout/"]');
    await page.see('text=Log in again');
    await page.look('left');
  },
  mayDiffer: [
    { part: 'dom', pattern: /(?<=name="csrfmiddlewaretoken" value=")\w+/g, why: 'random for each page' },
    { part: 'cookie', pattern: /(?<=(?:csrftoken|sessionid)=)\w+/g, why: 'random for each session' },
    { part: 'cookie', pattern: /(?<=messages=)[^;]*/g, why: 'signed with the time' },
    {
      part: 'request',
      pattern: /^GET \/static\/.*$/,
      why: 'a browser keeps them from page to page without asking, and so with the cookies of the first page alone',
    },
    {
      part: 'console',
      pattern: /^Blocked autofocusing .*$/,
      why: 'a page in the frame does not take the focus by itself',
    },
    { part: 'request', pattern: /(?<=^POST \S+ \d+ ).*$/, why: 'the forms carry the token' },
    { part: 'header', pattern: /(?<=boundary=).*$/, why: 'random for each form' },
  ],
});

function manage(place: Place, args: readonly string[], env: Record<string, string> = {}): void {
  const options = { cwd: join(place.folder, 'project'), env: { ...process.env, ...env }, stdio: 'pipe' } as const;
  execFileSync(python, ['manage.py', ...args], options);
}

function chooseFile(bytes: number): void {
  const chosen = new DataTransfer();
  chosen.items.add(new File([new Uint8Array(bytes)], 'möhren.png', { type: 'image/png' }));
  document.querySelector<HTMLInputElement>('#id_picture')!.files = chosen.files;
}

async function sizeOfPicture(): Promise<number> {
  const link = document.querySelector<HTMLAnchorElement>('.file-upload a')!;
  return (await (await fetch(link.href)).blob()).size;
}

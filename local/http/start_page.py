"""Page at the root of the local server."""

from domain import VERSION

START_PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Tradepost</title>
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 4rem auto; max-width: 40rem; padding: 0 1rem }}</style>
<h1>Tradepost {VERSION}</h1>
<p>The API is at <code>/v1</code>. This is the local server.</p>
<ul>
<li><a href="/v1/docs">Documentation of the API</a>, to try it out</li>
<li><a href="/v1/openapi.json">OpenAPI document</a></li>
<li><a href="/v1/health">Health</a></li>
</ul>
<p><code>uv run tradepost token --tenant acme</code> prints a token,
<code>uv run tradepost status</code> where the database and the user pool are.</p>
</html>
"""

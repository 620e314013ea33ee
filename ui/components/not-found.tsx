import { Link } from "@tanstack/react-router";

export function NotFound() {
  return (
    <main className="page empty">
      <h1>There is no such page</h1>
      <p>
        What was here may have been deleted. <Link to="/">Go to the dashboard</Link>
      </p>
    </main>
  );
}

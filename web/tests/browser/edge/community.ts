/** Issues, and what belongs to them. */
import type { Administration } from './administration';
import { type Answer, type Body, NOW, paged, type Routes } from './answers';

interface FakeIssue extends Body {
  id: string;
  fixes: Body[];
  comments: Body[];
}

export class Community {
  readonly issues: FakeIssue[] = [];

  write(facts: Body): FakeIssue {
    const issue: FakeIssue = {
      id: `i${this.issues.length + 1}`,
      title: 'The disk is full',
      description: 'Since noon',
      status: 'open',
      tags: [],
      images: [],
      machine_id: null,
      machine: null,
      author_id: '1',
      author_username: 'ada',
      author_name: 'ada',
      votes: 0,
      voted_by_me: false,
      created_at: NOW,
      updated_at: NOW,
      fixes: [],
      comments: [],
      ...facts,
    };
    this.issues.unshift(issue);
    return issue;
  }

  fix(issue: FakeIssue, facts: Body): Body {
    const fix = {
      id: `f${issue.fixes.length + 1}`,
      issue_id: issue.id,
      content: 'rm -r /var/tmp',
      images: [],
      author_id: '1',
      author_username: 'ada',
      likes: 0,
      liked_by_me: false,
      liked_by: [],
      accepted: false,
      created_at: NOW,
      ...facts,
    };
    issue.fixes.unshift(fix);
    return fix;
  }
}

function shown({ fixes, comments, ...issue }: FakeIssue): Body {
  return { ...issue, fix_count: fixes.length, comment_count: comments.length };
}

export function community(state: Administration): Routes {
  const of = state.community;
  const about = (id: string | undefined, answer: (issue: FakeIssue) => Answer): Answer => {
    const issue = of.issues.find((each) => each.id === id);
    return issue ? answer(issue) : [404, { error: 'Issue not found' }];
  };
  const react = (issue: string | undefined, id: string | undefined, liked: boolean): Answer =>
    about(issue, ({ fixes }) => {
      const fix = fixes.find((each) => each.id === id);
      Object.assign(fix ?? {}, { liked_by_me: liked, likes: liked ? 1 : 0, liked_by: liked ? ['ada'] : [] });
      return [200, { message: '', likes: fix?.likes }];
    });
  const vote = (id: string | undefined, voted: boolean): Answer =>
    about(id, (issue) => {
      Object.assign(issue, { voted_by_me: voted, votes: voted ? 1 : 0 });
      return [200, { message: '', votes: issue.votes }];
    });
  return {
    'GET /api/community/issues': ({ query }) => {
      const status = query.get('status');
      const tag = query.get('tag');
      const search = query.get('search') ?? '';
      const found = of.issues.filter(
        (issue) =>
          (status === null || issue.status === status) &&
          (tag === null || (issue.tags as string[]).includes(tag)) &&
          String(issue.title).includes(search),
      );
      return [200, paged('issues', found.map(shown), query)];
    },
    'POST /api/community/issues': ({ body }) => [201, { message: '', issue: shown(of.write(body)) }],
    'GET /api/community/issues/*': ({ at: [id] }) => about(id, (issue) => [200, { issue: shown(issue) }]),
    'PUT /api/community/issues/*': ({ at: [id], body }) =>
      about(id, (issue) => [200, { message: '', issue: shown(Object.assign(issue, body)) }]),
    'DELETE /api/community/issues/*': ({ at: [id] }) =>
      about(id, (issue) => {
        of.issues.splice(of.issues.indexOf(issue), 1);
        return [200, { message: 'Issue deleted' }];
      }),
    'POST /api/community/issues/*/vote': ({ at: [id] }) => vote(id, true),
    'DELETE /api/community/issues/*/vote': ({ at: [id] }) => vote(id, false),
    'GET /api/community/issues/*/fixes': ({ at: [id], query }) =>
      about(id, ({ fixes }) => [200, paged('fixes', fixes, query)]),
    'POST /api/community/issues/*/fixes': ({ at: [id], body }) =>
      about(id, (issue) => [201, { message: '', fix: of.fix(issue, body) }]),
    'DELETE /api/community/issues/*/fixes/*': ({ at: [id, fix] }) =>
      about(id, ({ fixes }) => {
        fixes.splice(
          fixes.findIndex((each) => each.id === fix),
          1,
        );
        return [200, { message: 'Fix deleted' }];
      }),
    'POST /api/community/issues/*/fixes/*/like': ({ at: [id, fix] }) => react(id, fix, true),
    'DELETE /api/community/issues/*/fixes/*/like': ({ at: [id, fix] }) => react(id, fix, false),
    'POST /api/community/issues/*/fixes/*/accept': ({ at: [id, fix] }) =>
      about(id, (issue) => {
        for (const each of issue.fixes) each.accepted = each.id === fix;
        issue.status = 'resolved';
        return [200, { message: 'Fix accepted' }];
      }),
    'GET /api/community/issues/*/comments': ({ at: [id], query }) =>
      about(id, ({ comments }) => [200, paged('comments', comments, query)]),
    'POST /api/community/issues/*/comments': ({ at: [id], body }) =>
      about(id, (issue) => {
        const written = { author_id: '1', author_username: 'ada', created_at: NOW };
        issue.comments.push({ id: `c${issue.comments.length + 1}`, issue_id: id, ...written, ...body });
        return [201, { message: '', comment: issue.comments.at(-1) }];
      }),
    'DELETE /api/community/issues/*/comments/*': ({ at: [id, comment] }) =>
      about(id, ({ comments }) => {
        comments.splice(
          comments.findIndex((each) => each.id === comment),
          1,
        );
        return [200, { message: 'Comment deleted' }];
      }),
    'POST /api/community/upload': () => [200, { message: '', url: '/icon.svg' }],
  };
}
